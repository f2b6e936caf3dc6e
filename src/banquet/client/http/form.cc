#include "banquet/client/http/form.h"

#include "banquet/base/percent_text.h"

namespace banquet {

std::string FormBody(const Form& form) {
  std::string body;
  for (const auto& [name, value] : form) {
    if (value.empty()) continue;
    if (!body.empty()) body += '&';
    body += name + "=" + PercentEncoded(value);
  }
  return body;
}

}  // namespace banquet
