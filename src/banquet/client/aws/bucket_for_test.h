#pragma once
// A bucket in memory that answers as S3 does, as far as single objects and their conditions go; its
// clock is the test's.

#include <ctime>
#include <map>
#include <mutex>
#include <string>

#include "banquet/base/percent_text.h"
#include "banquet/client/http/scripted_server.h"

namespace banquet::aws {

class BucketForTest {
 public:
  BucketForTest() : server_([this](const ReceivedHttp& request) { return Answer(request); }) {}

  std::string url() const { return server_.url(); }
  std::vector<ReceivedHttp> received() const { return server_.received(); }

  // Before a request is answered; an answer that it gives is the one.
  void Before(std::function<std::optional<HttpAnswer>(const ReceivedHttp&)> before) {
    const std::lock_guard lock(mutex_);
    before_ = std::move(before);
  }
  void Set(const std::string& key, const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    SetLocked(key, bytes);
  }
  std::string Bytes(const std::string& key) {
    const std::lock_guard lock(mutex_);
    return objects_.contains(key) ? objects_[key].bytes : "";
  }
  bool Has(const std::string& key) {
    const std::lock_guard lock(mutex_);
    return objects_.contains(key);
  }
  void Advance(int64_t seconds) {
    const std::lock_guard lock(mutex_);
    now_s_ += seconds;
  }

  // As a request would, for a Before that answers something else.
  HttpAnswer AnswerOf(const ReceivedHttp& request) {
    const std::string key = PercentDecoded(request.target.substr(sizeof("/lake/") - 1));
    const auto found = objects_.find(key);
    if (request.method == "DELETE") {
      objects_.erase(key);
      return {.status = 204};
    }
    if (request.method == "PUT") {
      const bool is_absent = found == objects_.end();
      const auto match = request.headers.find("if-match");
      if (match != request.headers.end() && is_absent) return Error(404, "NoSuchKey");
      const bool holds = (match == request.headers.end() || found->second.etag == match->second) &&
                         (!request.headers.contains("if-none-match") || is_absent);
      if (!holds) return Error(412, "PreconditionFailed");
      SetLocked(key, request.body);
      return {};
    }
    if (found == objects_.end()) return Error(404, "NoSuchKey");
    return {.body = found->second.bytes,
            .headers = {"ETag: " + found->second.etag,
                        "Last-Modified: " + DateOf(found->second.modified_s),
                        "Date: " + DateOf(now_s_)}};
  }
  void SetLocked(const std::string& key, const std::string& bytes) {
    objects_[key] = {
        .bytes = bytes, .etag = '"' + std::to_string(++writes_) + '"', .modified_s = now_s_};
  }

  static HttpAnswer Error(int status, const std::string& code,
                          const std::vector<std::string>& headers = {}) {
    return {.status = status,
            .body = "<Error><Code>" + code + "</Code><Message>told so</Message></Error>",
            .headers = headers};
  }

 private:
  struct Object {
    std::string bytes;
    std::string etag;
    int64_t modified_s = 0;
  };

  HttpAnswer Answer(const ReceivedHttp& request) {
    const std::lock_guard lock(mutex_);
    if (before_) {
      const std::optional<HttpAnswer> answer = before_(request);
      if (answer.has_value()) return *answer;
    }
    return AnswerOf(request);
  }

  static std::string DateOf(int64_t seconds) {
    const time_t time = seconds;
    std::tm parts = {};
    gmtime_r(&time, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text;
  }

  std::mutex mutex_;
  std::function<std::optional<HttpAnswer>(const ReceivedHttp&)> before_;
  std::map<std::string, Object> objects_;
  int writes_ = 0;
  int64_t now_s_ = 1'800'000'000;
  ScriptedHttpServer server_;
};

}  // namespace banquet::aws
