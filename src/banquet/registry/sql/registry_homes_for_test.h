#pragma once
// Feast's tables in every product that an SQL registry can be kept in, filled from what real Feast
// wrote into a file registry.

#include <memory>
#include <string>
#include <vector>

#include "banquet/base/testing.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/filesystem/temporary_directory.h"
#include "banquet/client/mysql/live_mariadb.h"
#include "banquet/client/postgres/live_postgres.h"
#include "banquet/client/sqlite/database.h"
#include "banquet/registry/sql/sessions.h"
#include "feast/core/Registry.pb.h"

namespace banquet::sql_registry {

// One product, with servers that live as long as the test program.
class RegistryHome {
 public:
  virtual ~RegistryHome() = default;
  // The URL of a new database.
  virtual std::string NewDatabase() = 0;
  virtual std::string bytes_type() const = 0;
};

class SqliteHome final : public RegistryHome {
 public:
  std::string NewDatabase() override {
    const std::string path = folder_.File("registry" + std::to_string(++made_) + ".db");
    EXPECT_OK(sqlite::Database::Open({.path = path}));
    return "sqlite:///" + path;
  }
  std::string bytes_type() const override { return "BLOB"; }

 private:
  TemporaryDirectory folder_;
  int made_ = 0;
};

class PostgresHome final : public RegistryHome {
 public:
  PostgresHome() : server_(postgres::LivePostgres::Start().ValueOrDie()) {}
  std::string NewDatabase() override {
    const std::string name = "registry" + std::to_string(++made_);
    EXPECT_OK(server_->Connect().ValueOrDie()->Run("CREATE DATABASE " + name));
    return UrlOf("feast", "feast", name);
  }
  std::string UrlOf(const std::string& user, const std::string& password,
                    const std::string& database) const {
    return "postgresql+psycopg://" + user + ":" + password +
           "@127.0.0.1:" + std::to_string(server_->port()) + "/" + database + "?sslmode=disable";
  }
  std::string bytes_type() const override { return "BYTEA"; }
  postgres::LivePostgres* server() { return server_.get(); }

 private:
  std::unique_ptr<postgres::LivePostgres> server_;
  int made_ = 0;
};

class MariadbHome final : public RegistryHome {
 public:
  MariadbHome() : server_(mysql::LiveMariadb::Start().ValueOrDie()) {}
  std::string NewDatabase() override {
    const std::string name = "registry" + std::to_string(++made_);
    EXPECT_OK(mysql::Connection::Open(server_->SettingsFor(""))
                  .ValueOrDie()
                  ->Run("CREATE DATABASE " + name));
    return UrlOf("feast", "fe%40st", name);
  }
  std::string UrlOf(const std::string& user, const std::string& password,
                    const std::string& database) const {
    return "mysql+pymysql://" + user + ":" + password +
           "@127.0.0.1:" + std::to_string(server_->port()) + "/" + database + "?charset=utf8mb4";
  }
  std::string bytes_type() const override { return "LONGBLOB"; }

 private:
  std::unique_ptr<mysql::LiveMariadb> server_;
  int made_ = 0;
};

inline std::unique_ptr<SqlSession> SessionAt(const std::string& url) {
  return OpenSession(ParseSqlUrl(url).ValueOrDie(), {}).ValueOrDie();
}

// Feast's statements for its tables (0.67), as far as we read them.
inline void MakeFeastTables(SqlSession* session, const std::string& bytes_type) {
  const auto make = [&](const std::string& table, const std::string& name,
                        const std::string& rest) {
    ASSERT_OK(session->Run("CREATE TABLE " + table + " (" + name +
                           " VARCHAR(255) NOT NULL, project_id VARCHAR(255) NOT NULL, "
                           "last_updated_timestamp BIGINT NOT NULL, " +
                           rest + ", PRIMARY KEY (" + name + ", project_id))"));
  };
  const auto object = [&](const std::string& kind) {
    return kind + "_proto " + bytes_type + " NOT NULL";
  };
  make("entities", "entity_name", object("entity"));
  make("data_sources", "data_source_name", object("data_source"));
  make("feature_views", "feature_view_name",
       "materialized_intervals " + bytes_type + ", " + object("feature_view") + ", user_metadata " +
           bytes_type);
  for (const char* table : {"stream_feature_views", "on_demand_feature_views", "label_views"}) {
    make(table, "feature_view_name", object("feature_view") + ", user_metadata " + bytes_type);
  }
  make("feature_services", "feature_service_name", object("feature_service"));
  ASSERT_OK(session->Run(
      "CREATE TABLE projects (project_id VARCHAR(255) NOT NULL PRIMARY KEY, project_name "
      "VARCHAR(255) NOT NULL, last_updated_timestamp BIGINT NOT NULL, " +
      object("project") + ")"));
  ASSERT_OK(session->Run(
      "CREATE TABLE feast_metadata (project_id VARCHAR(255) NOT NULL, metadata_key VARCHAR(50) NOT "
      "NULL, metadata_value TEXT NOT NULL, last_updated_timestamp BIGINT NOT NULL, PRIMARY KEY "
      "(project_id, metadata_key))"));
  ASSERT_OK(session->Run(
      "CREATE TABLE feature_view_version_history (feature_view_name VARCHAR(255) NOT NULL, "
      "project_id VARCHAR(255) NOT NULL, version_number INTEGER NOT NULL, feature_view_type "
      "VARCHAR(50) NOT NULL, " +
      object("feature_view") +
      ", created_timestamp BIGINT NOT NULL, description TEXT, version_id VARCHAR(36) NOT NULL, "
      "PRIMARY KEY (feature_view_name, project_id, version_number))"));
}

inline constexpr int64_t kAppliedAt = 1'700'000'000;

inline void InsertObject(SqlSession* session, const std::string& table, const std::string& kind,
                         const std::string& name, const std::string& project,
                         const std::string& message) {
  ASSERT_OK(session->Run("INSERT INTO " + table + " (" + kind + "_name, project_id, " + kind +
                             "_proto, last_updated_timestamp) VALUES (?, ?, ?, ?)",
                         std::vector<SqlValue>{name, project, SqlBytes{message}, kAppliedAt}));
}

// A row for each object of the registry in `bytes`, which is of one project.
inline void FillFeastTables(SqlSession* session, const std::string& bytes) {
  feast::core::Registry registry;
  ASSERT_TRUE(registry.ParseFromString(bytes));
  ASSERT_EQ(registry.projects_size(), 1);
  const std::string project = registry.projects(0).spec().name();
  const auto insert = [&](const std::string& table, const std::string& kind, const auto& objects) {
    for (const auto& object : objects) {
      InsertObject(session, table, kind, object.spec().name(), project, object.SerializeAsString());
    }
  };
  insert("entities", "entity", registry.entities());
  insert("feature_views", "feature_view", registry.feature_views());
  insert("stream_feature_views", "feature_view", registry.stream_feature_views());
  insert("on_demand_feature_views", "feature_view", registry.on_demand_feature_views());
  insert("feature_services", "feature_service", registry.feature_services());
  for (const auto& source : registry.data_sources()) {
    InsertObject(session, "data_sources", "data_source", source.name(), project,
                 source.SerializeAsString());
  }
  for (const auto& record : registry.feature_view_version_history().records()) {
    ASSERT_OK(session->Run(
        "INSERT INTO feature_view_version_history VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        std::vector<SqlValue>{record.feature_view_name(), project, int64_t{record.version_number()},
                              record.feature_view_type(), SqlBytes{record.feature_view_proto()},
                              kAppliedAt, std::string("first"), std::string("id")}));
  }
  ASSERT_OK(
      session->Run("INSERT INTO projects VALUES (?, ?, ?, ?)",
                   std::vector<SqlValue>{project, project, kAppliedAt,
                                         SqlBytes{registry.projects(0).SerializeAsString()}}));
  ASSERT_OK(session->Run("INSERT INTO feast_metadata VALUES (?, ?, ?, ?)",
                         std::vector<SqlValue>{project, std::string("last_updated_timestamp"),
                                               std::to_string(kAppliedAt), kAppliedAt}));
}

}  // namespace banquet::sql_registry
