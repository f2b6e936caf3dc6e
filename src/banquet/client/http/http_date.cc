#include "banquet/client/http/http_date.h"

#include <ctime>

namespace banquet {

int64_t SecondsOfHttpDate(const std::string& text) {
  std::tm time = {};
  if (::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time) == nullptr) return 0;
  return ::timegm(&time);
}

}  // namespace banquet
