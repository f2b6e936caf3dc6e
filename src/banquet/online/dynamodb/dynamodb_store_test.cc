// What a service does that DynamoDB Local never does: throttling, faults and refusals, by script.

#include "banquet/online/dynamodb/dynamodb_store.h"

#include <atomic>
#include <map>
#include <nlohmann/json.hpp>

#include "banquet/client/http/scripted_server.h"
#include "banquet/online/contract/online_store_contract.h"
#include "banquet/online/dynamodb/item.h"

namespace banquet {
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OnlineStoreContract);  // Needs a service that keeps.

namespace dynamodb {
namespace {

using nlohmann::json;
using Entries = std::map<std::string, std::string>;

constexpr int64_t kNoonUs = 1'700'000'000'000'000;
constexpr char kTable[] = R"({"Table":{"TableStatus":"ACTIVE","TableId":"1","ItemCount":1,)"
                          R"("KeySchema":[{"AttributeName":"entity_id","KeyType":"HASH"}]}})";

HttpAnswer Refusal(const std::string& code, int status = 400) {
  return {.status = status,
          .body = R"({"__type":"com.amazonaws.dynamodb.v20120810#)" + code +
                  R"(","message":"the reason"})"};
}

// An empty DynamoDB, save for what the test scripts.
class DynamoScriptTest : public ::testing::Test {
 protected:
  // nullopt: as an empty table would.
  using Script = std::function<std::optional<HttpAnswer>(const std::string& operation,
                                                         const ReceivedHttp& request)>;

  void SetUp() override {
    setenv("AWS_ACCESS_KEY_ID", "test", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "canary-secret", 1);
    unsetenv("AWS_ENDPOINT_URL");
  }

  void Serve(Script script, OnlineStoreContext context = {}) {
    script_ = std::move(script);
    server_ = std::make_unique<ScriptedHttpServer>([this](const ReceivedHttp& request) {
      const std::string target = request.headers.at("x-amz-target");
      const std::string operation = target.substr(target.find('.') + 1);
      if (const auto answer = script_(operation, request)) return *answer;
      if (operation == "DescribeTable") return HttpAnswer{.body = kTable};
      if (operation == "DescribeTimeToLive")
        return HttpAnswer{.body = R"({"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}})"};
      if (operation == "BatchWriteItem") return HttpAnswer{.body = R"({"UnprocessedItems":{}})"};
      return HttpAnswer{.body = R"({"Responses":{},"UnprocessedKeys":{}})"};
    });
    context.clock = &clock_;
    ASSERT_OK_AND_ASSIGN(store_, Make(context));
  }

  Result<std::unique_ptr<OnlineStore>> Make(const OnlineStoreContext& context) {
    ConfigNode block{.kind = ConfigNode::Kind::kMap};
    for (const auto& [key, value] : std::map<std::string, std::string>{
             {"region", "eu-west-1"}, {"endpoint_url", server_->url()}}) {
      block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = value}});
    }
    return MakeStore(block, context);
  }

  Result<std::unique_ptr<OnlineWriter>> Writer() {
    BANQUET_RETURN_NOT_OK(store_->Prepare(std::span(&view_, 1)));
    return store_->OpenWriter(std::span(&view_, 1), 0);
  }
  Result<RowOutcomes> WriteRows(int rows) {
    BANQUET_ASSIGN_OR_RETURN(auto writer, Writer());
    return WriteBy(writer.get(), rows);
  }
  Result<RowOutcomes> WriteBy(OnlineWriter* writer, int rows) {
    BatchBuilder builder(view_);
    for (int i = 0; i < rows; ++i) builder.Row("key" + std::to_string(i), kNoonUs, {"value"});
    BANQUET_RETURN_NOT_OK(writer->Write(builder.Build(), RowSelection::All()));
    return writer->Flush();
  }

  // What must hold of an answer that the store cannot make anything of.
  void ExpectGarbled(const std::string& operation, const std::string& body) {
    Serve([&](const std::string& called, const ReceivedHttp&) -> std::optional<HttpAnswer> {
      if (called != operation) return std::nullopt;
      return HttpAnswer{.body = body};
    });
    const auto outcomes = WriteRows(3);
    EXPECT_FAULT(Fault::kRemote, "with what is not its JSON", outcomes);
    EXPECT_TRUE(IsRetryable(outcomes.status())) << body;
  }

  ViewColumns view_ = MakeTestView("stats", {"a"});
  ManualClock clock_{kNoonUs};
  Script script_;
  std::unique_ptr<ScriptedHttpServer> server_;
  std::unique_ptr<OnlineStore> store_;
};

// The last `count` items of every call come back.
HttpAnswer Unprocessed(const ReceivedHttp& request, size_t count) {
  const json sent = json::parse(request.body);
  json left = json::object();
  for (const auto& [table, requests] : sent.at("RequestItems").items()) {
    for (size_t i = requests.size() - count; i < requests.size(); ++i) {
      left[table].push_back(requests[i]);
    }
  }
  return {.body = json{{"UnprocessedItems", left}}.dump()};
}

TEST_F(DynamoScriptTest, WhatIsUnprocessedIsUndecided) {
  for (size_t count = 1; count <= 25; ++count) {
    Serve([&](const std::string& operation, const ReceivedHttp& request) {
      return operation == "BatchWriteItem" ? std::optional(Unprocessed(request, count))
                                           : std::nullopt;
    });
    ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteRows(25));
    EXPECT_EQ(outcomes.written, static_cast<int64_t>(25 - count));
    EXPECT_EQ(outcomes.undecided.size(), count);
    EXPECT_EQ(outcomes.views.size(), count == 25 ? 0U : 1U);
  }
}

TEST_F(DynamoScriptTest, OnlyWhatWasUndecidedIsSentAgain) {
  int calls = 0;
  Serve(
      [&](const std::string& operation, const ReceivedHttp& request) -> std::optional<HttpAnswer> {
        if (operation != "BatchWriteItem" || ++calls > 1) return std::nullopt;
        return Unprocessed(request, 2);
      });
  ASSERT_OK_AND_ASSIGN(const auto writer, Writer());
  const auto batch = BatchBuilder(view_)
                         .Row("a", kNoonUs, {"1"})
                         .Row("b", kNoonUs, {"2"})
                         .Row("c", kNoonUs, {"3"})
                         .Build();
  ASSERT_OK(writer->Write(batch, RowSelection::All()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
  ASSERT_EQ(outcomes.undecided, (std::vector<uint32_t>{1, 2}));
  ASSERT_OK(writer->Write(batch, RowSelection::Of(outcomes.undecided)));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes rest, writer->Flush());
  EXPECT_EQ(rest.written, 2);
  EXPECT_TRUE(rest.undecided.empty());
}

TEST_F(DynamoScriptTest, AThrottledCallLeavesItsRowsUndecidedAndSlowsDown) {
  for (const char* code :
       {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}) {
    for (const char* operation : {"BatchWriteItem", "BatchGetItem"}) {
      Serve([&](const std::string& called, const ReceivedHttp&) {
        return called == operation ? std::optional(Refusal(code)) : std::nullopt;
      });
      ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteRows(30));
      EXPECT_EQ(outcomes.undecided.size(), 30U) << code;
      EXPECT_EQ(outcomes.written, 0);
    }
  }
}

TEST_F(DynamoScriptTest, UnreadKeysAreUndecided) {
  Serve([&](const std::string& operation, const ReceivedHttp&) -> std::optional<HttpAnswer> {
    if (operation != "BatchGetItem") return std::nullopt;
    return HttpAnswer{
        .body = R"({"Responses":{},"UnprocessedKeys":{"demo.stats":{"Keys":[{"entity_id":{"S":")" +
                EntityId("key1") + R"("}}]}}})"};
  });
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteRows(3));
  EXPECT_EQ(outcomes.undecided, std::vector<uint32_t>{1});
  EXPECT_EQ(outcomes.written, 2);
}

TEST_F(DynamoScriptTest, WhatMayPassIsToBeTriedAgain) {
  for (const int status : {500, 503, 429}) {
    Serve([&](const std::string& operation, const ReceivedHttp&) -> std::optional<HttpAnswer> {
      if (operation != "BatchWriteItem") return std::nullopt;
      return HttpAnswer{.status = status, .body = "<html>"};
    });
    const auto outcomes = WriteRows(1);
    EXPECT_FAULT(Fault::kRemote, "BatchWriteItem: status " + std::to_string(status), outcomes);
    EXPECT_TRUE(IsRetryable(outcomes.status()));
  }
  for (const char* raw : {"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"Unpro", "HTTP/1."}) {
    Serve([&](const std::string& operation, const ReceivedHttp&) -> std::optional<HttpAnswer> {
      if (operation != "BatchWriteItem") return std::nullopt;
      return HttpAnswer{.raw = raw, .close = true};
    });
    const auto outcomes = WriteRows(1);
    EXPECT_FAULT(Fault::kRemote, "dynamodb at http://127.0.0.1", outcomes);
    EXPECT_TRUE(IsRetryable(outcomes.status()));
  }
}

TEST_F(DynamoScriptTest, AnswersThatAreNotItsJsonAreTold) {
  for (const char* body :
       {"", "{", "[]", "{}", R"({"UnprocessedItems":3})", R"({"UnprocessedItems":{"t":[{}]}})",
        R"({"UnprocessedItems":{"t":[{"PutRequest":{"Item":{"entity_id":{"S":"unasked"}}}}]}})"}) {
    ExpectGarbled("BatchWriteItem", body);
  }
  for (const char* body : {"{", "{}", R"({"Responses":{"t":[{}]}})",
                           R"({"Responses":{"t":[{"entity_id":{"S":"unasked"}}]}})",
                           R"({"Responses":{},"UnprocessedKeys":{"t":{}}})",
                           R"({"Responses":{},"UnprocessedKeys":{"t":{"Keys":[{}]}}})"}) {
    ExpectGarbled("BatchGetItem", body);
  }
  view_.guard = Guard::kStrict;
  for (const char* body : {"{", "{}", R"({"Responses":[]})", R"({"Responses":{}})"}) {
    ExpectGarbled("BatchExecuteStatement", body);
  }
}

TEST_F(DynamoScriptTest, AStoredTimeThatIsNoneDoesNotGuard) {
  Serve([&](const std::string& operation, const ReceivedHttp&) -> std::optional<HttpAnswer> {
    if (operation != "BatchGetItem") return std::nullopt;
    return HttpAnswer{.body = R"({"Responses":{"demo.stats":[{"entity_id":{"S":")" +
                              EntityId("key0") +
                              R"("},"event_ts":{"S":"soon"}},{"entity_id":{"S":")" +
                              EntityId("key1") + R"("}},{"entity_id":{"S":")" + EntityId("key2") +
                              R"("},"event_ts":{"S":"2030-01-01 00:00:00+00:00"}}]}})"};
  });
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteRows(3));
  EXPECT_EQ(outcomes.written, 2);
  EXPECT_EQ(outcomes.stale, 1);
}

TEST_F(DynamoScriptTest, StatementsOfAllFates) {
  view_.guard = Guard::kStrict;
  int calls = 0;
  Serve([&](const std::string& operation, const ReceivedHttp&) -> std::optional<HttpAnswer> {
    if (operation != "BatchExecuteStatement") return std::nullopt;
    if (++calls > 1)
      return HttpAnswer{.body = R"({"Responses":[{"Error":{"Code":"DuplicateItem"}}]})"};
    return HttpAnswer{
        .body = R"({"Responses":[{"TableName":"t"},)"
                R"({"Error":{"Code":"ConditionalCheckFailed","Item":{"event_ts":{"S":"x"}}}},)"
                R"({"Error":{"Code":"ConditionalCheckFailed"}},)"
                R"({"Error":{"Code":"ThrottlingError"}}]})"};
  });
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteRows(4));
  EXPECT_EQ(outcomes.written, 1);
  EXPECT_EQ(outcomes.stale, 1);
  // The third is taken by turns from under us until we give up for now; the fourth was throttled.
  EXPECT_EQ(outcomes.undecided.size(), 2U);
  EXPECT_EQ(calls, 4);
}

TEST_F(DynamoScriptTest, AStatementThatFailsForGoodIsAnError) {
  view_.guard = Guard::kStrict;
  Serve([&](const std::string& operation, const ReceivedHttp&) -> std::optional<HttpAnswer> {
    if (operation != "BatchExecuteStatement") return std::nullopt;
    return HttpAnswer{.body = R"({"Responses":[{"Error":{"Code":"ValidationError"}}]})"};
  });
  EXPECT_FAULT(Fault::kRemote, "a statement for table demo.stats failed: ValidationError",
               WriteRows(1));
}

TEST_F(DynamoScriptTest, RefusalsNameTheReasonAndTheMend) {
  const auto refused = [&](const std::string& code) {
    Serve([code](const std::string&, const ReceivedHttp&) { return Refusal(code); });
    const Status status = store_->Prepare(std::span(&view_, 1));
    EXPECT_EQ(status.ToString().find("canary-secret"), std::string::npos);
    return status;
  };
  EXPECT_FAULT(Fault::kUser, "DescribeTable: the reason (AccessDeniedException); grant it",
               refused("AccessDeniedException"));
  EXPECT_FAULT(Fault::kUser, "not known there", refused("UnrecognizedClientException"));
  EXPECT_FAULT(Fault::kUser, "clock", refused("InvalidSignatureException"));
  EXPECT_FAULT(Fault::kUser, "renew the session", refused("ExpiredTokenException"));
  EXPECT_FAULT(Fault::kData, "the reason", refused("ValidationException"));
  EXPECT_FAULT(Fault::kRemote, "(SomethingElse)", refused("SomethingElse"));
}

TEST_F(DynamoScriptTest, ExpiredKeysAreAskedForAnewOnce) {
  unsetenv("AWS_ACCESS_KEY_ID");
  ScriptedHttpServer container([](const ReceivedHttp& request) {
    return HttpAnswer{.body = R"({"AccessKeyId":"KEY)" + std::to_string(request.nth) +
                              R"(","SecretAccessKey":"s","Token":"t"})"};
  });
  setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url().c_str(), 1);
  setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere", 1);
  setenv("AWS_CONFIG_FILE", "/nowhere", 1);
  Serve([](const std::string&, const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    const bool is_old = request.headers.at("authorization").find("KEY1/") != std::string::npos;
    return is_old ? std::optional(Refusal("ExpiredTokenException")) : std::nullopt;
  });
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteRows(1));
  EXPECT_EQ(outcomes.written, 1);
  EXPECT_EQ(container.received().size(), 2U);
  unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
}

TEST_F(DynamoScriptTest, ATimeThatItsTextCannotHoldIsADataError) {
  Serve([](const std::string&, const ReceivedHttp&) { return std::nullopt; });
  for (const int64_t us : {int64_t{-62'135'596'800'000'001}, int64_t{253'402'300'800'000'000}}) {
    ASSERT_OK_AND_ASSIGN(const auto writer, Writer());
    ASSERT_OK(writer->Write(BatchBuilder(view_).Row("k", us, {"v"}).Build(), RowSelection::All()));
    EXPECT_FAULT(Fault::kData, "beyond the years 1 to 9999", writer->Flush());
  }
}

TEST_F(DynamoScriptTest, AConfigurationThatMeansNothingIsRefused) {
  const auto make = [](Entries entries, ConfigNode tags = {}) {
    ConfigNode block{.kind = ConfigNode::Kind::kMap};
    entries.try_emplace("region", "eu-west-1");
    for (const auto& [key, value] : entries) {
      block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = value}});
    }
    block.entries.push_back({"tags", std::move(tags)});
    return MakeStore(block, {});
  };
  ASSERT_OK(make({}));
  EXPECT_FAULT(Fault::kUser, "https:// or http://", make({{"endpoint_url", "localhost:8000"}}));
  const auto secret = make({{"endpoint_url", "https://user:canary-secret@host"}});
  EXPECT_FAULT(Fault::kUser, "no user or password", secret);
  EXPECT_EQ(secret.status().ToString().find("canary-secret"), std::string::npos);
  EXPECT_FAULT(Fault::kUser, "tags must be a map",
               make({}, {.kind = ConfigNode::Kind::kScalar, .scalar = "team"}));
  ConfigNode nested{.kind = ConfigNode::Kind::kMap};
  nested.entries.push_back({"team", {.kind = ConfigNode::Kind::kList}});
  EXPECT_FAULT(Fault::kUser, "tags must be a map", make({}, nested));
}

// --- tables ---

TEST_F(DynamoScriptTest, WaitsForATableThatIsMade) {
  std::string created;
  int looks = 0;
  Serve(
      [&](const std::string& operation, const ReceivedHttp& request) -> std::optional<HttpAnswer> {
        if (operation == "CreateTable") {
          created = request.body;
          return Refusal("ResourceInUseException");  // Another run was faster.
        }
        if (operation != "DescribeTable") return std::nullopt;
        if (++looks <= 2) return Refusal("ResourceNotFoundException");
        if (looks > 4) return std::nullopt;
        json table = json::parse(kTable);
        table["Table"]["TableStatus"] = "CREATING";
        return HttpAnswer{.body = table.dump()};
      });
  view_.tags = {{"team", "night"}};
  ASSERT_OK(store_->Prepare(std::span(&view_, 1)));
  EXPECT_GE(looks, 5);
  EXPECT_EQ(json::parse(created)["Tags"], json::parse(R"([{"Key":"team","Value":"night"}])"));
}

TEST_F(DynamoScriptTest, ATableThatIsNeverReadyIsGivenUp) {
  Serve([&](const std::string& operation, const ReceivedHttp&) -> std::optional<HttpAnswer> {
    if (operation == "DescribeTable") return Refusal("ResourceNotFoundException");
    return HttpAnswer{.body = "{}"};
  });
  EXPECT_FAULT(Fault::kRemote, "table demo.stats is not ready after 300000 ms",
               store_->Prepare(std::span(&view_, 1)));
  EXPECT_FALSE(json::parse(server_->received()[1].body).contains("Tags"))
      << "an empty list would ask for the right to tag";
}

TEST_F(DynamoScriptTest, ATableThatMayNotBeMadeIsTold) {
  Serve([&](const std::string& operation, const ReceivedHttp&) -> std::optional<HttpAnswer> {
    if (operation == "DescribeTable") return Refusal("ResourceNotFoundException");
    return Refusal("AccessDeniedException");
  });
  EXPECT_FAULT(Fault::kUser, "CreateTable: the reason", store_->Prepare(std::span(&view_, 1)));
}

TEST_F(DynamoScriptTest, DescriptionsThatAreNoneAreTold) {
  const std::string odd_count =
      std::string(kTable).replace(std::string(kTable).find("1,"), 1, "{}");
  for (const std::string& body : {std::string(), std::string("{}"), std::string(R"({"Table":[]})"),
                                  std::string(R"({"Table":{"KeySchema":"x"}})"), odd_count}) {
    Serve([&](const std::string&, const ReceivedHttp&) { return HttpAnswer{.body = body}; });
    SCOPED_TRACE(body);
    EXPECT_FAULT(Fault::kRemote, "does not describe table demo.stats",
                 store_->Prepare(std::span(&view_, 1)));
  }
}

// --- pace ---

TEST_F(DynamoScriptTest, ALimitOfWriteUnitsHolds) {
  Serve([](const std::string&, const ReceivedHttp&) { return std::nullopt; },
        {.dynamodb_write_units_max = "10"});
  const int64_t begun = clock_.NowUs();
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteRows(100));
  EXPECT_EQ(outcomes.written, 100);
  EXPECT_GE(clock_.NowUs() - begun, 9'000'000) << "100 units at 10 a second, 10 saved up";
}

TEST_F(DynamoScriptTest, ALimitMayBeAShareOfTheTablesUnits) {
  Serve(
      [](const std::string& operation, const ReceivedHttp&) -> std::optional<HttpAnswer> {
        if (operation != "DescribeTable") return std::nullopt;
        json table = json::parse(kTable);
        table["Table"]["ProvisionedThroughput"] = {{"WriteCapacityUnits", 40}};
        return HttpAnswer{.body = table.dump()};
      },
      {.dynamodb_write_units_max = "25%"});
  const int64_t begun = clock_.NowUs();
  ASSERT_OK(WriteRows(100));
  EXPECT_GE(clock_.NowUs() - begun, 9'000'000);
  EXPECT_LE(clock_.NowUs() - begun, 10'000'000);
}

TEST_F(DynamoScriptTest, ALimitThatIsNoneIsRefused) {
  Serve([](const std::string&, const ReceivedHttp&) { return std::nullopt; });
  for (const char* text : {"many", "-5", "0%", "%"}) {
    EXPECT_FAULT(Fault::kUser, "banquet.dynamodb_write_units_max",
                 Make({.dynamodb_write_units_max = text}));
  }
}

TEST_F(DynamoScriptTest, ATtlAttributeThatIsNoneOrTakenIsRefused) {
  Serve([](const std::string&, const ReceivedHttp&) { return std::nullopt; });
  for (const std::string& text : {std::string("a b"), std::string("a\""), std::string("values"),
                                  std::string("event_ts"), std::string(256, 'a')}) {
    EXPECT_FAULT(Fault::kUser, "banquet.dynamodb_ttl_attribute",
                 Make({.dynamodb_ttl_attribute = text}));
  }
}

TEST_F(DynamoScriptTest, WhoMayNotLookAtOrSetTheTimeToLiveIsTold) {
  view_.ttl_us = 1;
  for (const std::string refused : {"DescribeTimeToLive", "UpdateTimeToLive"}) {
    Serve(
        [&](const std::string& operation, const ReceivedHttp&) -> std::optional<HttpAnswer> {
          return operation == refused ? std::optional(Refusal("AccessDeniedException"))
                                      : std::nullopt;
        },
        {.dynamodb_ttl_attribute = "expires"});
    EXPECT_FAULT(Fault::kUser, refused + ": the reason", store_->Prepare(std::span(&view_, 1)));
  }
}

// A run may have ended between making a table and this.
TEST_F(DynamoScriptTest, ATimeToLiveIsEnabledWhereNoneIs) {
  view_.ttl_us = 1;
  std::string described;
  int updated = 0;
  const auto prepare = [&](const std::string& answer) {
    described = answer;
    updated = 0;
    Serve(
        [&](const std::string& operation,
            const ReceivedHttp& request) -> std::optional<HttpAnswer> {
          if (operation == "UpdateTimeToLive")
            updated += request.body.find("expires") != std::string::npos ? 1 : 100;
          if (operation != "DescribeTimeToLive") return std::nullopt;
          return HttpAnswer{.body = described};
        },
        {.dynamodb_ttl_attribute = "expires"});
    return store_->Prepare(std::span(&view_, 1));
  };
  const auto of = [](const std::string& status, const std::string& attribute) {
    return R"({"TimeToLiveDescription":{"TimeToLiveStatus":")" + status + R"(","AttributeName":")" +
           attribute + "\"}}";
  };
  EXPECT_OK(prepare(of("DISABLED", "")));
  EXPECT_EQ(updated, 1);
  EXPECT_OK(prepare(of("ENABLING", "expires")));
  EXPECT_EQ(updated, 0);
  EXPECT_FAULT(Fault::kUser, "expire by attribute gone", prepare(of("ENABLED", "gone")));
  EXPECT_EQ(updated, 0);
  for (const char* garbled : {"[]", "{}", R"({"TimeToLiveDescription":{"TimeToLiveStatus":1}})"})
    EXPECT_FAULT(Fault::kRemote, "does not tell the time to live", prepare(garbled));
}

// Another run enables it between our look and our wish, which the service then calls invalid.
TEST_F(DynamoScriptTest, ATimeToLiveThatAnotherRunEnabledIsTaken) {
  view_.ttl_us = 1;
  const auto prepare = [&](const std::string& attribute) {
    int looks = 0;
    Serve(
        [&, looks](const std::string& operation,
                   const ReceivedHttp&) mutable -> std::optional<HttpAnswer> {
          if (operation == "UpdateTimeToLive") return Refusal("ValidationException");
          if (operation != "DescribeTimeToLive") return std::nullopt;
          const bool is_enabled = ++looks > 1 && !attribute.empty();
          return HttpAnswer{.body = R"({"TimeToLiveDescription":{"TimeToLiveStatus":")" +
                                    std::string(is_enabled ? "ENABLING" : "DISABLED") +
                                    R"(","AttributeName":")" + attribute + "\"}}"};
        },
        {.dynamodb_ttl_attribute = "expires"});
    return store_->Prepare(std::span(&view_, 1));
  };
  EXPECT_OK(prepare("expires"));
  EXPECT_FAULT(Fault::kUser, "expire by attribute gone", prepare("gone"));
  EXPECT_FAULT(Fault::kData, "UpdateTimeToLive: the reason", prepare(""));
}

TEST_F(DynamoScriptTest, ReadsWaitForCapacityAndGiveUp) {
  Serve([](const std::string& operation, const ReceivedHttp&) -> std::optional<HttpAnswer> {
    if (operation != "BatchGetItem") return std::nullopt;
    return Refusal("ThrottlingException");
  });
  const std::string key = "k";
  EXPECT_FAULT(Fault::kRemote, "has no capacity to read table demo.stats",
               store_->Read(view_, std::span(&key, 1)));
  Serve([](const std::string&, const ReceivedHttp&) -> std::optional<HttpAnswer> {
    return HttpAnswer{.body = R"({"Responses":{"demo.stats":[{"entity_id":{"S":")" + EntityId("k") +
                              R"("},"values":{"M":{"a":{"B":"!"}}}}]}})"};
  });
  EXPECT_FAULT(Fault::kRemote, "with what is not its JSON",
               store_->Read(view_, std::span(&key, 1)));
  Serve([](const std::string&, const ReceivedHttp&) { return HttpAnswer{.body = "[]"}; });
  EXPECT_FAULT(Fault::kRemote, "with what is not its JSON",
               store_->Read(view_, std::span(&key, 1)));
}

}  // namespace
}  // namespace dynamodb
}  // namespace banquet
