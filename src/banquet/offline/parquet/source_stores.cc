#include "banquet/offline/parquet/source_stores.h"

#include "banquet/client/objects/object_store.h"

namespace banquet::parquet_store {

SourceAccess SourceStores::AccessOf(const DataSource& source, const std::string& path) {
  if (!objects::IsObjectUri(path))
    return {.directory = MakeLocalDirectory(), .files = MakeLocalAccess()};
  const std::lock_guard lock(mutex_);
  std::shared_ptr<objects::ObjectStore>& store = object_stores_[source.s3_endpoint_override];
  if (store == nullptr) {
    store = std::make_shared<objects::ObjectStore>(
        objects::StoreSettings{.s3_endpoint = source.s3_endpoint_override,
                               .anonymous = context_.anonymous_objects,
                               .connect_timeout = context_.connect_timeout,
                               .stall_timeout = context_.stall_timeout});
  }
  return {.directory = MakeObjectDirectory(store), .files = MakeObjectAccess(store)};
}

}  // namespace banquet::parquet_store
