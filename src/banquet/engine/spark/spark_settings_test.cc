#include "banquet/engine/spark/spark_settings.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

TEST(SparkSettingsTest, PathsAreNamedAsSparkNamesThem) {
  SparkSettings settings;
  EXPECT_EQ(settings.UriFor("/data/a b"), "file:///data/a b");
  EXPECT_EQ(settings.UriFor("s3://lake/x"), "s3a://lake/x");
  EXPECT_EQ(settings.UriFor("gcs://lake/x"), "gs://lake/x");
  EXPECT_EQ(settings.UriFor("hdfs://n/x"), "hdfs://n/x");
  settings.conf["spark.hadoop.fs.s3.impl"] = "com.amazon.ws.emr.hadoop.fs.EmrFileSystem";
  EXPECT_EQ(settings.UriFor("s3://lake/x"), "s3://lake/x");
}

using Words = std::vector<std::string>;

TEST(SparkSettingsTest, TheCommandLineHasWhatSparkSubmitMustKnow) {
  SparkSettings settings;
  settings.conf = {{"spark.master", "local[2]"},
                   {"spark.driver.memory", "1g"},
                   {"spark.jars.packages", "a:b:1"},
                   {"spark.hadoop.fs.azure.account.key.x", "s3cret"},
                   {"spark.hadoop.fs.s3a.secret.key", "s3cret"},
                   {"spark.kubernetes.authenticate.submission.oauthToken", "s3cret"},
                   {"spark.sql.catalog.pg.url", "jdbc:postgresql://h/d?password=s3cret"}};
  EXPECT_EQ(settings.Arguments(""),
            (Words{"--master", "local[2]", "--deploy-mode", "client", "--conf",
                   "spark.driver.memory=1g", "--conf", "spark.jars.packages=a:b:1"}));
  const auto rest = settings.ConfOfJob();
  EXPECT_EQ(rest.size(), 4U);
  EXPECT_EQ(rest.at("spark.hadoop.fs.azure.account.key.x"), "s3cret");
  EXPECT_EQ(rest.at("spark.kubernetes.authenticate.submission.oauthToken"), "s3cret");
}

TEST(SparkSettingsTest, OurArchiveComesBesideTheUsers) {
  SparkSettings settings;
  const auto archives = [&] { return settings.Arguments("/r.tar.gz#r").back(); };
  EXPECT_EQ(archives(), "spark.archives=/r.tar.gz#r");
  settings.defaults = {{"spark.archives", "env.zip#env"}};
  EXPECT_EQ(archives(), "spark.archives=env.zip#env,/r.tar.gz#r");
  settings.conf = {{"spark.archives", "mine.zip"}};
  EXPECT_EQ(archives(), "spark.archives=mine.zip,/r.tar.gz#r");
  EXPECT_EQ(settings.Arguments("").back(), "spark.archives=mine.zip");
}

TEST(SparkSettingsTest, DefaultsOfTheMachineLieBeneath) {
  SparkSettings settings;
  EXPECT_EQ(settings.master(), "local[*]");
  EXPECT_TRUE(settings.is_local());
  settings.defaults = ParseSparkDefaults(
      "# master\n\n  spark.master   spark://h:7077  \nspark.submit.deployMode=cluster\n"
      "! x\nspark.files : a,b\nspark.empty\nspark.last = x=y");
  EXPECT_EQ(settings.defaults,
            (std::map<std::string, std::string>{{"spark.master", "spark://h:7077"},
                                                {"spark.submit.deployMode", "cluster"},
                                                {"spark.files", "a,b"},
                                                {"spark.empty", ""},
                                                {"spark.last", "x=y"}}));
  EXPECT_EQ(settings.master(), "spark://h:7077");
  EXPECT_FALSE(settings.is_local());
  EXPECT_EQ(settings.deploy_mode(), "cluster");
  EXPECT_EQ(settings.files(), "a,b");
  settings.conf = {{"spark.master", "yarn"}, {"spark.submit.deployMode", "client"}};
  EXPECT_EQ(settings.Arguments(""), (Words{"--master", "yarn", "--deploy-mode", "client"}));
}

TEST(SparkSettingsTest, DeployModeClusterIsForWhoRunsPythonInIt) {
  SparkSettings settings;
  EXPECT_OK(CheckSparkSettings(settings, "x"));
  const auto check = [&](const std::string& mode, const std::string& master) {
    settings.conf = {{"spark.master", master}, {"spark.submit.deployMode", mode}};
    return CheckSparkSettings(settings, "batch_engine");
  };
  EXPECT_OK(check("cluster", "yarn"));
  EXPECT_OK(check("cluster", "k8s://https://h"));
  EXPECT_FAULT(Fault::kUser, "client or cluster", check("claster", "yarn"));
  EXPECT_FAULT(Fault::kUser, "with spark://h use client", check("cluster", "spark://h"));
  settings.shares_application = true;
  EXPECT_FAULT(Fault::kUser, "one group of views", check("cluster", "yarn"));
}

ConfigNode Scalar(const std::string& text) {
  return {.kind = ConfigNode::Kind::kScalar, .scalar = text};
}
ConfigNode Map(std::vector<ConfigEntry> entries) {
  ConfigNode node{.kind = ConfigNode::Kind::kMap};
  node.entries = std::move(entries);
  return node;
}

TEST(SparkSettingsTest, AreReadAndRefused) {
  ASSERT_OK_AND_ASSIGN(
      const SparkSettings settings,
      ParseSparkSettings(Map({{"type", Scalar("spark.engine")},
                              {"partitions", Scalar("20")},
                              {"spark_conf", Map({{"spark.executor.cores", Scalar("2")}})}})));
  EXPECT_EQ(settings.partitions, 20);
  EXPECT_EQ(settings.conf.at("spark.executor.cores"), "2");
  EXPECT_EQ(settings.write, std::nullopt);
  EXPECT_FALSE(settings.shares_application);
  ASSERT_OK_AND_ASSIGN(const SparkSettings staging,
                       ParseSparkSettings(Map({{"write", Scalar("staging")},
                                               {"staging_location", Scalar("s3://lake/x")},
                                               {"applications", Scalar("shared")}})));
  EXPECT_EQ(staging.write, SparkWrite::kStaging);
  EXPECT_EQ(staging.staging_location, "s3://lake/x");
  EXPECT_TRUE(staging.shares_application);
  const auto refused = [](const std::string& key, ConfigNode value) {
    return ParseSparkSettings(Map({{key, std::move(value)}}));
  };
  EXPECT_FAULT(Fault::kUser, "partitions", refused("partitions", Scalar("-1")));
  EXPECT_FAULT(Fault::kUser, "partitions", refused("partition", Scalar("2")));
  EXPECT_FAULT(Fault::kUser, "spark_conf", refused("spark_conf", Map({{"a", Map({})}})));
  EXPECT_FAULT(Fault::kUser, "write", refused("write", Scalar("driver")));
  EXPECT_FAULT(Fault::kUser, "applications", refused("applications", Scalar("one")));
}

}  // namespace
}  // namespace banquet
