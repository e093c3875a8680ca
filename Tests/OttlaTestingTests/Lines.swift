import Client
import KafkaProtocol
import Synchronization

/// What brokers had to say.
final class Lines: Sendable {
  private let lines = Mutex<[String]>([])
  var add: @Sendable (String) -> Void { { line in self.lines.withLock { $0.append(line) } } }
  var all: [String] { lines.withLock { $0 } }
}

/// Asks the broker for its cluster.
func ask(_ connection: AdminConnection) throws {
  _ = try connection.ask(.describeCluster, DescribeClusterRequest(), as: DescribeClusterResponse.self)
}
