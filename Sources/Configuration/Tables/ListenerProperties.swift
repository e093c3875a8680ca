import Primitives

/// Who the broker is and where it listens.
enum ListenerProperties {
  static let rows: [BrokerProperty] = [
    BrokerProperty(
      "node.id", .int, "1", .atLeast(0), "The broker's number in its cluster. broker.id is another name of it."
    ) { config, value in
      if case .int(let number)? = value { config.nodeId = BrokerID(number) }
    }.insteadOf("none: it must be set"),
    BrokerProperty.text("broker.id", .int, "1", .atLeast(0), "An older name of node.id.").insteadOf("-1"),
    .optionalString("broker.rack", \.brokerRack, "Where the broker stands: replicas are spread over racks."),
    BrokerProperty.text(
      "listeners", .string, "PLAINTEXT://127.0.0.1:9092", .syntax("a list of NAME://host:port"),
      "Where to listen. An empty host means all interfaces; port 0 lets the system choose one."
    ).perBroker().insteadOf("PLAINTEXT://:9092"),
    .text(
      "advertised.listeners", .string, nil, .syntax("a list of NAME://host:port, each name one of listeners"),
      "The addresses that clients and other brokers are told. Without it each client is told the address that it came in on, "
        + "and other brokers what listeners says, with this machine's name for an empty host."),
    BrokerProperty.text(
      "listener.security.protocol.map", .string,
      "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
      .syntax("a list of NAME:PROTOCOL"),
      "How the connections of each listener are protected. Only PLAINTEXT is supported yet."
    ).perBroker(),
    .text(
      "inter.broker.listener.name", .string, nil, .syntax("a name in listeners"),
      "The listener that brokers use among themselves; the one named as security.inter.broker.protocol says where it is not set."
    ),
    .text(
      "controller.listener.names", .string, nil, .syntax("a list of listener names"),
      "Listeners for Kafka's controllers. There are none here: listeners of these names are not opened."),
    .echo("early.start.listeners", .string, nil, "Listeners to open before the broker is ready."),
    .text(
      "security.inter.broker.protocol", .string, "PLAINTEXT", .syntax("PLAINTEXT"),
      "How connections between brokers are protected where no listener is named for them. Only PLAINTEXT is supported yet."
    ),
  ]
}
