#include <utility>

#include "banquet/base/hex_text.h"
#include "banquet/client/postgres/connection.h"
#include "banquet/registry/sql/sessions.h"

namespace banquet::sql_registry {
namespace {

constexpr SqlDialect kDialect = {
    .now_ms = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    .row_lock = "FOR UPDATE",
    .insert = "INSERT INTO",
    .unless_there = "ON CONFLICT DO NOTHING",
    .tables =
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = "
        "current_schema()",
    .begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    // Its statements are few and short: nobody is kept waiting by it for long, nor it by anybody.
    .begin_write = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    .may_create =
        "SELECT CASE WHEN has_schema_privilege(current_schema(), 'CREATE') THEN 1 ELSE 0 "
        "END",
};

// As libpq takes a parameter given as text.
struct ParameterText {
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(const SqlBytes& value) const { return "\\x" + HexOf(value.bytes); }
};

// $1, $2, … for each ?.
std::string Numbered(std::string_view sql) {
  std::string numbered;
  int parameter = 0;
  for (const char c : sql) {
    if (c == '?') {
      numbered += "$" + std::to_string(++parameter);
    } else {
      numbered += c;
    }
  }
  return numbered;
}

class PostgresSession final : public SqlSession {
 public:
  explicit PostgresSession(std::unique_ptr<postgres::Connection> connection)
      : connection_(std::move(connection)) {}

  const SqlDialect& dialect() const override { return kDialect; }

  Result<SqlAnswer> Run(std::string_view sql, std::span<const SqlValue> parameters) override {
    std::vector<std::string> texts;
    for (const SqlValue& value : parameters) texts.push_back(std::visit(ParameterText{}, value));
    BANQUET_ASSIGN_OR_RETURN(const postgres::Rows rows, connection_->Run(Numbered(sql), texts));
    SqlAnswer answer;
    answer.matched = rows.affected();
    for (int i = 0; i < rows.size(); ++i) {
      SqlRow& row = answer.rows.emplace_back();
      for (int column = 0; column < rows.columns(); ++column)
        row.push_back(ValueAt(rows, i, column));
    }
    return answer;
  }

 private:
  static std::optional<std::string> ValueAt(const postgres::Rows& rows, int row, int column) {
    const std::optional<std::string_view> bytes = rows.At(row, column);
    if (!bytes.has_value()) return std::nullopt;
    const std::optional<int64_t> number = rows.Integer(row, column);
    return number.has_value() ? std::to_string(*number) : std::string(*bytes);
  }

  std::unique_ptr<postgres::Connection> connection_;
};

}  // namespace

Result<std::unique_ptr<SqlSession>> OpenPostgresSession(const SqlUrl& url,
                                                        const SessionSettings& settings) {
  if (!url.driver.empty() && !url.driver.starts_with("psycopg")) {
    return UserError("registry.path: postgresql+{} is not supported; write postgresql+psycopg://",
                     url.driver);
  }
  postgres::ConnectionSettings connection{.parameters = {{"client_encoding", "UTF8"}},
                                          .server = "registry " + url.Shown(),
                                          .connect_timeout = settings.connect_timeout,
                                          .stall_timeout = settings.stall_timeout,
                                          .stop = settings.stop};
  const auto add = [&connection](const char* keyword, const std::string& value) {
    if (!value.empty()) connection.parameters.emplace_back(keyword, value);
  };
  add("host", url.host);
  add("port", url.port);
  add("user", url.user);
  add("password", url.password.value_or(""));
  add("dbname", url.database);
  // What else psycopg is given goes to libpq as it stands.
  for (const auto& [key, value] : url.query) {
    if (!postgres::IsKeyword(key))
      return UserError("registry.path: libpq knows no parameter '{}'; remove it", key);
    connection.parameters.emplace_back(key, value);
  }
  BANQUET_ASSIGN_OR_RETURN(auto opened, postgres::Connection::Open(std::move(connection)));
  return std::make_unique<PostgresSession>(std::move(opened));
}

}  // namespace banquet::sql_registry
