/// The ensemble that keeps a cluster's metadata.
enum ZooKeeperProperties {
  static let rows: [BrokerProperty] = [
    .text(
      "zookeeper.connect", .string, nil, .syntax("HOST:PORT[,HOST:PORT...][/chroot]"),
      "The ZooKeeper ensemble that keeps the cluster's metadata, and the node below which it does. Without it the broker is "
        + "alone and keeps its metadata itself."),
    BrokerProperty(
      "zookeeper.connection.timeout.ms", .int, nil, .atLeast(1),
      "How long a broker that starts waits for a connection to ZooKeeper; zookeeper.session.timeout.ms where it is not set."
    ) { config, value in
      if case .int(let timeoutMs)? = value { config.zookeeperConnectionTimeoutMs = timeoutMs }
    },
    .int(
      "zookeeper.session.timeout.ms", \.zookeeperSessionTimeoutMs, 18_000, .atLeast(1),
      "How long ZooKeeper hears nothing of a broker before it counts as gone. ZooKeeper holds it between limits of its own, "
        + "by default 4 and 40 seconds."),
    BrokerProperty(
      "ottla.zookeeper.digest", .password, nil, .syntax("USER:PASSWORD"),
      "The login for ZooKeeper (its digest scheme). With it the nodes of the cluster are for this login alone."
    ) { config, value in
      guard case .string(let login)? = value, !login.isEmpty else {
        config.zookeeperLogin = nil
        return
      }
      config.zookeeperLogin = login
    },
  ]
}
