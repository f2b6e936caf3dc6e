#include "banquet/sql/query_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace banquet {
namespace {

using std::string_view;

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool IsOfName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Goes through a query piece by piece: a comment, something in quotes, or one character.
class QueryReader {
 public:
  QueryReader(const SqlDialect& dialect, string_view query) : dialect_(dialect), query_(query) {}

  // All of it, but for semicolons at its end.
  Result<std::string> ReadOne() {
    std::string kept;
    while (at_ < query_.size()) {
      const size_t start = at_;
      BANQUET_ASSIGN_OR_RETURN(const bool is_comment, SkipComment());
      if (is_comment) {
        kept += query_.substr(start, at_ - start);
        continue;
      }
      BANQUET_RETURN_NOT_OK(SkipPiece());
      const string_view piece = query_.substr(start, at_ - start);
      if (piece == ";") {
        ended_ = true;
        continue;
      }
      if (!IsSpace(piece.front())) BANQUET_RETURN_NOT_OK(Count(piece));
      kept += piece;
    }
    if (!has_content_) return UserError("The data source's query is empty");
    if (depth_ > 0) return UserError("The data source's query leaves a parenthesis open");
    return kept;
  }

 private:
  bool Sees(string_view text) const { return query_.substr(at_).starts_with(text); }

  Status Count(string_view piece) {
    if (ended_) {
      return UserError(
          "The data source's query has a second statement behind a semicolon; one SELECT is all "
          "that it may be");
    }
    has_content_ = true;
    if (piece == "(") ++depth_;
    if (piece == ")" && --depth_ < 0) {
      return UserError("The data source's query closes a parenthesis that it did not open");
    }
    return Status::OK();
  }

  Result<bool> SkipComment() {
    if (Sees("--") || (dialect_.hash_comments && Sees("#")) ||
        (dialect_.slash_comments && Sees("//"))) {
      at_ = std::min(query_.find_first_of("\r\n", at_), query_.size());
      return true;
    }
    if (!Sees("/*")) return false;
    int open = 0;
    do {
      if (at_ >= query_.size()) return UserError("The data source's query leaves a comment open");
      if (Sees("/*") && (open == 0 || dialect_.nests_comments)) {
        ++open;
        at_ += 2;
      } else if (Sees("*/")) {
        --open;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (open > 0);
    return true;
  }

  Status SkipPiece() {
    const char c = query_[at_];
    if (c == '\'' || dialect_.name_and_text_quotes.find(c) != string_view::npos) {
      return SkipQuoted(c);
    }
    if (c == '$' && dialect_.dollar_texts) return SkipDollars();
    ++at_;
    return Status::OK();
  }

  Status SkipQuoted(char quote) {
    const string_view triple = quote == '\'' ? "'''" : "\"\"\"";
    if (dialect_.triple_quotes && quote != '`' && Sees(triple)) {
      at_ += triple.size();
      return SkipTo(triple, /*has_escapes=*/true);
    }
    const bool escapes = HasEscapes(quote);
    const char end = quote == '[' ? ']' : quote;
    ++at_;
    return SkipTo(string_view(&end, 1), escapes);
  }

  // A doubled quote ends one text and begins the next, which is the same to us.
  Status SkipTo(string_view end, bool has_escapes) {
    while (at_ < query_.size()) {
      if (Sees(end)) {
        at_ += end.size();
        return Status::OK();
      }
      at_ += has_escapes && query_[at_] == '\\' ? 2 : 1;
    }
    return UserError("The data source's query leaves a quote open: {}", end);
  }

  bool HasEscapes(char quote) const {
    if (quote == '[') return false;
    if (quote == dialect_.name_quote) return dialect_.name_has_escapes;
    if (dialect_.text_has_escapes) return quote != '`';
    return quote == '\'' && dialect_.e_texts && IsAfterE();
  }

  bool IsAfterE() const {
    if (at_ == 0 || (query_[at_ - 1] != 'e' && query_[at_ - 1] != 'E')) return false;
    return at_ == 1 || !IsOfName(query_[at_ - 2]);
  }

  // A dollar within a name, or before a parameter's number, quotes nothing.
  Status SkipDollars() {
    const size_t start = at_++;
    if (start > 0 && (IsOfName(query_[start - 1]) || query_[start - 1] == '$')) return Status::OK();
    size_t end = at_;
    while (end < query_.size() && IsOfName(query_[end])) ++end;
    const bool is_number = end > at_ && query_[at_] >= '0' && query_[at_] <= '9';
    if (is_number || end == query_.size() || query_[end] != '$') return Status::OK();
    const string_view tag = query_.substr(start, end + 1 - start);
    at_ = end + 1;
    return SkipTo(tag, /*has_escapes=*/false);
  }

  const SqlDialect& dialect_;
  const string_view query_;
  size_t at_ = 0;
  int depth_ = 0;
  bool ended_ = false;
  bool has_content_ = false;
};

string_view Trimmed(string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<std::string> WrapQuery(const SqlDialect& dialect, string_view query) {
  if (query.find('\0') != string_view::npos) {
    return UserError("The data source's query has a NUL in it");
  }
  BANQUET_ASSIGN_OR_RETURN(const std::string one, QueryReader(dialect, query).ReadOne());
  return fmt::format("(\n{}\n)", Trimmed(one));
}

}  // namespace banquet
