#include "banquet/registry/sql/read_rows.h"

#include <charconv>
#include <set>
#include <string_view>

#include "banquet/registry/decode_registry.h"
#include "feast/core/Registry.pb.h"

namespace banquet::sql_registry {
namespace {

// A table of objects: name, project_id and the object's message.
struct ObjectTable {
  std::string_view table;
  std::string_view name;
  std::string_view message;
};

class RowReader {
 public:
  RowReader(SqlSession* session, const std::string& project)
      : session_(session), project_(project) {}

  Status FindTables() {
    BANQUET_ASSIGN_OR_RETURN(const SqlAnswer tables, session_->Run(session_->dialect().tables));
    for (const SqlRow& row : tables.rows) tables_.insert(row[0].value_or(""));
    if (tables_.contains("feature_views")) return Status::OK();
    return UserError(
        "The database has no table feature_views; run `feast apply` in the feature repository, or "
        "correct registry.path");
  }

  template <typename Object>
  Status ReadObjects(const ObjectTable& table, google::protobuf::RepeatedPtrField<Object>* list) {
    const std::string columns = fmt::format("{}, {}", table.name, table.message);
    BANQUET_ASSIGN_OR_RETURN(const SqlAnswer answer, Select(table.table, columns, table.name));
    for (const SqlRow& row : answer.rows) {
      Object* object = list->Add();
      if (!object->ParseFromString(row[1].value_or("")))
        return DataError("{} '{}' does not parse", table.table, row[0].value_or(""));
      SetProject(object);
    }
    return Status::OK();
  }

  Status ReadProjects(feast::core::Registry* registry) {
    if (!tables_.contains("projects")) return Status::OK();
    BANQUET_ASSIGN_OR_RETURN(const SqlAnswer answer,
                             session_->Run("SELECT project_id FROM projects ORDER BY project_id"));
    for (const SqlRow& row : answer.rows)
      registry->add_projects()->mutable_spec()->set_name(row[0].value_or(""));
    return Status::OK();
  }

  Status ReadVersions(feast::core::FeatureViewVersionHistory* history) {
    BANQUET_ASSIGN_OR_RETURN(
        const SqlAnswer answer,
        Select("feature_view_version_history",
               "feature_view_name, version_number, feature_view_type, feature_view_proto",
               "feature_view_name, version_number"));
    for (const SqlRow& row : answer.rows) {
      feast::core::FeatureViewVersionRecord* record = history->add_records();
      int number = 0;
      const std::string text = row[1].value_or("");
      std::from_chars(text.data(), text.data() + text.size(), number);
      record->set_feature_view_name(row[0].value_or(""));
      record->set_project_id(project_);
      record->set_version_number(number);
      record->set_feature_view_type(row[2].value_or(""));
      record->set_feature_view_proto(row[3].value_or(""));
    }
    return Status::OK();
  }

 private:
  Result<SqlAnswer> Select(std::string_view table, std::string_view columns,
                           std::string_view order) {
    if (!tables_.contains(table)) return SqlAnswer{};
    return session_->Run(
        fmt::format("SELECT {} FROM {} WHERE project_id = ? ORDER BY {}", columns, table, order),
        std::vector<SqlValue>{project_});
  }

  // Feast leaves the project out of a view that it has recorded an interval for.
  template <typename Object>
  void SetProject(Object* object) {
    if constexpr (requires { object->mutable_spec(); }) {
      object->mutable_spec()->set_project(project_);
    } else {
      object->set_project(project_);
    }
  }

  SqlSession* const session_;
  const std::string& project_;
  std::set<std::string, std::less<>> tables_;
};

Status ReadAll(RowReader* reader, feast::core::Registry* registry) {
  BANQUET_RETURN_NOT_OK(reader->FindTables());
  BANQUET_RETURN_NOT_OK(reader->ReadProjects(registry));
  BANQUET_RETURN_NOT_OK(reader->ReadObjects({"entities", "entity_name", "entity_proto"},
                                            registry->mutable_entities()));
  BANQUET_RETURN_NOT_OK(reader->ReadObjects(
      {"data_sources", "data_source_name", "data_source_proto"}, registry->mutable_data_sources()));
  BANQUET_RETURN_NOT_OK(
      reader->ReadObjects({"feature_views", "feature_view_name", "feature_view_proto"},
                          registry->mutable_feature_views()));
  BANQUET_RETURN_NOT_OK(
      reader->ReadObjects({"stream_feature_views", "feature_view_name", "feature_view_proto"},
                          registry->mutable_stream_feature_views()));
  BANQUET_RETURN_NOT_OK(
      reader->ReadObjects({"on_demand_feature_views", "feature_view_name", "feature_view_proto"},
                          registry->mutable_on_demand_feature_views()));
  BANQUET_RETURN_NOT_OK(reader->ReadObjects(
      {"label_views", "feature_view_name", "feature_view_proto"}, registry->mutable_label_views()));
  BANQUET_RETURN_NOT_OK(
      reader->ReadObjects({"feature_services", "feature_service_name", "feature_service_proto"},
                          registry->mutable_feature_services()));
  return reader->ReadVersions(registry->mutable_feature_view_version_history());
}

}  // namespace

Result<RegistryContents> ReadRegistryRows(SqlSession* session, const std::string& project) {
  feast::core::Registry registry;
  RowReader reader(session, project);
  BANQUET_RETURN_NOT_OK(session->Run(session->dialect().begin_read));
  BANQUET_RETURN_NOT_OK(ReadAll(&reader, &registry));
  BANQUET_RETURN_NOT_OK(session->Commit());
  return DecodeRegistry(registry);
}

}  // namespace banquet::sql_registry
