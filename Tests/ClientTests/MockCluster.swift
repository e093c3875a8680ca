import CLibrdkafka
import Client

/// librdkafka's own pretended brokers, on real sockets of this machine: Produce, Fetch, groups, no admin requests.
final class MockCluster {
  private let handle: OpaquePointer
  private let cluster: OpaquePointer

  init(brokers: Int32 = 1) throws {
    let configuration = rd_kafka_conf_new()
    rd_kafka_conf_set(configuration, "bootstrap.servers", "127.0.0.1:1", nil, 0)
    ottla_rdkafka_silence(configuration)
    var reason = [CChar](repeating: 0, count: 256)
    guard let handle = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &reason, reason.count),
      let cluster = rd_kafka_mock_cluster_new(handle, brokers)
    else { throw Unavailable() }
    self.handle = handle
    self.cluster = cluster
  }

  deinit {
    rd_kafka_mock_cluster_destroy(cluster)
    rd_kafka_destroy(handle)
  }

  struct Unavailable: Error {}

  var bootstrap: String { rd_kafka_mock_cluster_bootstraps(cluster).map { String(cString: $0) } ?? "" }
  var settings: ClientSettings { ClientSettings(bootstrap: BrokerAddress.list(bootstrap) ?? []) }

  func createTopic(_ name: String, partitions: Int32) {
    rd_kafka_mock_topic_create(cluster, name, partitions, 1)
  }

  func setLeader(of topic: String, _ partition: Int32, broker: Int32) {
    rd_kafka_mock_partition_set_leader(cluster, topic, partition, broker)
  }
}
