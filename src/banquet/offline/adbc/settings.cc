#include "banquet/offline/adbc/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "banquet/base/option_table.h"
#include "banquet/base/percent_text.h"

namespace banquet::adbc {
namespace {

using std::string_view;

constexpr char kDriverMeaning[] =
    "path of an ADBC driver, or its name as ADBC finds it: a manifest or library, also in the "
    "folders of ADBC_DRIVER_PATH";

constexpr OptionSpec kPostgresOptions[] = {
    {.name = "host",
     .type = OptionType::kText,
     .meaning = "the server's name or address, or the folder of its Unix socket",
     .required = true},
    {.name = "port", .type = OptionType::kInt, .default_value = "5432", .meaning = "its port"},
    {.name = "database",
     .type = OptionType::kText,
     .meaning = "the database that holds the tables",
     .required = true},
    {.name = "db_schema",
     .type = OptionType::kText,
     .default_value = "public",
     .meaning = "the schema in which a table's name is looked for first"},
    {.name = "user", .type = OptionType::kText, .meaning = "who logs in", .required = true},
    {.name = "password", .type = OptionType::kSecret, .meaning = "the user's", .required = true},
    {.name = "sslmode",
     .type = OptionType::kChoice,
     .default_value = "require",
     .meaning = "as libpq has it: only verify-ca and verify-full look at who answers",
     .choices = "disable|allow|prefer|require|verify-ca|verify-full"},
    {.name = "sslrootcert_path",
     .type = OptionType::kText,
     .meaning = "file of the authorities that may sign the server's certificate"},
    {.name = "sslcert_path", .type = OptionType::kText, .meaning = "our certificate"},
    {.name = "sslkey_path", .type = OptionType::kText, .meaning = "its key"},
    {.name = "keepalives_idle",
     .type = OptionType::kInt,
     .default_value = "60",
     .unit = "s",
     .meaning = "of silence before the network is probed"},
    {.name = "driver", .type = OptionType::kText, .meaning = kDriverMeaning},
};
// Of Feast's Python client.
constexpr string_view kPostgresIgnored[] = {"type", "conn_type", "min_conn", "max_conn",
                                            "entity_select_mode"};

constexpr OptionSpec kAdbcOptions[] = {
    {.name = "dialect",
     .type = OptionType::kChoice,
     .meaning = "the SQL that the database speaks",
     .choices = "postgres|duckdb|sqlite|snowflake|bigquery|redshift|spark",
     .required = true},
    {.name = "driver", .type = OptionType::kText, .meaning = kDriverMeaning},
    {.name = "entrypoint",
     .type = OptionType::kText,
     .meaning = "function of the driver that starts it; DuckDB's is known"},
    {.name = "profile",
     .type = OptionType::kText,
     .meaning = "an ADBC connection profile: path or name"},
    {.name = "options",
     .type = OptionType::kNode,
     .meaning = "names and values for the driver, such as uri"},
    {.name = "database",
     .type = OptionType::kText,
     .meaning = "completes the name of a table that lacks it"},
    {.name = "schema",
     .type = OptionType::kText,
     .meaning = "completes the name of a table that lacks it"},
};
constexpr string_view kAdbcIgnored[] = {"type"};

struct ProductFacts {
  string_view word;  // Of `dialect`.
  SqlProduct product;
  std::array<string_view, 2> drivers;  // Names under which tools install it; may be empty.
  string_view entrypoint;
  string_view how_to_get;
};
constexpr ProductFacts kProducts[] = {
    {.word = "postgres",
     .product = SqlProduct::kPostgres,
     .drivers = {"adbc_driver_postgresql", "postgresql"},
     .entrypoint = {},
     .how_to_get = "pip install adbc-driver-postgresql, or dbc install postgresql"},
    {.word = "duckdb",
     .product = SqlProduct::kDuckDb,
     .drivers = {"duckdb", {}},
     .entrypoint = "duckdb_adbc_init",
     .how_to_get = "libduckdb.so of DuckDB's releases, or dbc install duckdb"},
    {.word = "sqlite",
     .product = SqlProduct::kSqlite,
     .drivers = {"adbc_driver_sqlite", {}},
     .entrypoint = {},
     .how_to_get = "pip install adbc-driver-sqlite, or dbc install sqlite"},
};

std::string HowToGet(const ProductFacts& facts) {
  return fmt::format(
      "get one ({}) and name it in offline_store.driver, by its path or as ADBC finds it "
      "(docs/warehouses.md)",
      facts.how_to_get);
}

std::vector<std::string> DriversOf(const ProductFacts& facts, const OptionValues& options) {
  if (const auto driver = options.Text("driver")) return {*driver};
  std::vector<std::string> drivers;
  for (const string_view name : facts.drivers) {
    if (!name.empty()) drivers.emplace_back(name);
  }
  return drivers;
}

// A value in libpq's connection string.
std::string Quoted(string_view value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "'";
}

bool IsSecretName(string_view name) {
  constexpr string_view kWords[] = {"password", "secret", "token",      "key",
                                    "pwd",      "auth",   "credential", "passphrase"};
  return std::ranges::any_of(
      kWords, [&](string_view word) { return name.find(word) != string_view::npos; });
}

// Passwords inside an address: "://user:HERE@host", and "password=HERE" of a connection string.
void AddSecretsOfAddress(const std::string& address, std::vector<std::string>* secrets) {
  if (const size_t scheme = address.find("://"); scheme != std::string::npos) {
    const size_t begin = scheme + 3;
    const size_t at = address.substr(0, address.find_first_of("/?", begin)).rfind('@');
    const size_t colon = address.find(':', begin);
    if (at != std::string::npos && colon < at) {
      secrets->push_back(address.substr(colon + 1, at - colon - 1));
      secrets->push_back(PercentDecoded(secrets->back()));
    }
  }
  for (size_t at = 0; (at = address.find("password=", at)) != std::string::npos;) {
    at += std::char_traits<char>::length("password=");
    const bool quoted = at < address.size() && address[at] == '\'';
    if (quoted) ++at;
    secrets->push_back(address.substr(at, address.find_first_of(quoted ? "'" : " &;", at) - at));
  }
}

}  // namespace

Result<StoreSettings> PostgresSettings(const ConfigNode& block,
                                       const OfflineStoreContext& context) {
  BANQUET_ASSIGN_OR_RETURN(
      const OptionValues options,
      OptionValues::Parse(kPostgresOptions, block, "offline_store", kPostgresIgnored));
  const ProductFacts& facts = kProducts[0];
  const auto text = [&](string_view name) { return options.Text(name).value_or(""); };
  const auto number = [&](string_view name) {
    return std::to_string(options.Int(name).value_or(0));
  };
  std::string schema = text("db_schema");
  if (schema.empty()) schema = text("user");
  const auto seconds = std::max<int64_t>(context.connect_timeout.count() / 1000, 2);
  std::vector<std::pair<string_view, std::string>> words = {
      {"host", text("host")},
      {"port", number("port")},
      {"dbname", text("database")},
      {"user", text("user")},
      {"password", text("password")},
      {"sslmode", text("sslmode")},
      // As Feast asks for it, so that both find the same tables.
      {"options", "-c search_path=" + schema + (schema == "public" ? "" : ",public")},
      {"client_encoding", "UTF8"},
      {"application_name", "banquet"},
      {"connect_timeout", std::to_string(seconds)},
      {"keepalives_idle", number("keepalives_idle")},
      {"tcp_user_timeout", std::to_string(context.stall_timeout.count())}};
  const std::pair<string_view, string_view> files[] = {
      {"sslrootcert", "sslrootcert_path"}, {"sslcert", "sslcert_path"}, {"sslkey", "sslkey_path"}};
  for (const auto& [keyword, option] : files) {
    if (options.Text(option).has_value()) words.emplace_back(keyword, text(option));
  }
  std::string address;
  for (const auto& [keyword, value] : words) {
    address += fmt::format("{}{}={}", address.empty() ? "" : " ", keyword, Quoted(value));
  }
  return StoreSettings{
      .database = {.drivers = DriversOf(facts, options),
                   .how_to_get = HowToGet(facts),
                   .options = {{"uri", std::move(address)}},
                   .server = {.product = SqlProduct::kPostgres,
                              .words = fmt::format("Postgres at {}:{}/{}", text("host"),
                                                   number("port"), text("database")),
                              .secrets = {text("password"), Quoted(text("password"))}},
                   .stop = context.stop},
      .catalog = {},
      .schema = {}};
}

Result<StoreSettings> AdbcSettings(const ConfigNode& block, const OfflineStoreContext& context) {
  BANQUET_ASSIGN_OR_RETURN(const OptionValues options,
                           OptionValues::Parse(kAdbcOptions, block, "offline_store", kAdbcIgnored));
  const std::string dialect = options.Text("dialect").value_or("");
  const auto* facts = std::ranges::find(kProducts, dialect, &ProductFacts::word);
  if (facts == std::end(kProducts)) {
    const bool needs_process = dialect == "snowflake" || dialect == "bigquery";
    return UserError(
        "{}: offline_store.dialect: this version reads postgres, duckdb and sqlite over ADBC, and "
        "not {}{}",
        options.Location("dialect").ToString(), dialect,
        needs_process ? ", whose driver has to run in a process of its own" : "");
  }
  StoreSettings settings{
      .database = {.drivers = DriversOf(*facts, options),
                   .how_to_get = HowToGet(*facts),
                   .options = {},
                   .server = {.product = facts->product,
                              .words = fmt::format("{} over ADBC", DialectOf(facts->product).name),
                              .secrets = {}},
                   .stop = context.stop},
      .catalog = options.Text("database").value_or(""),
      .schema = options.Text("schema").value_or("")};
  auto& told = settings.database.options;
  if (const auto profile = options.Text("profile")) {
    told.emplace_back("profile", *profile);
    if (!options.Has("driver")) settings.database.drivers.clear();
  }
  const std::string entrypoint =
      options.Text("entrypoint").value_or(std::string(facts->entrypoint));
  if (!entrypoint.empty()) told.emplace_back("entrypoint", entrypoint);
  const ConfigNode* further = options.Node("options");
  if (further == nullptr || further->kind == ConfigNode::Kind::kNull) return settings;
  if (further->kind != ConfigNode::Kind::kMap) {
    return UserError("{}: offline_store.options: write names with values",
                     further->location.ToString());
  }
  std::vector<std::string>& secrets = settings.database.server.secrets;
  for (const auto& [name, value] : further->entries) {
    if (value.kind != ConfigNode::Kind::kScalar) {
      return UserError("{}: offline_store.options.{}: write text", value.location.ToString(), name);
    }
    if (IsSecretName(name)) secrets.push_back(value.scalar);
    AddSecretsOfAddress(value.scalar, &secrets);
    told.emplace_back(name, value.scalar);
  }
  return settings;
}

}  // namespace banquet::adbc
