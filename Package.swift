// swift-tools-version: 6.2
import PackageDescription

// The import graph of Ottla: one `module` line a module, lower modules first. A module sees only what its line
// names; `swift build --explicit-target-dependency-import-check error` (make build) holds everybody to it.

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]

/// A Swift module in Sources/<name>, and its tests in Tests/<name>Tests where `tested`; `fixtures` are no source. With
/// `simulated` the tests see Tests/TestSupport: a disk, clocks and randomness that a test drives. `testsImport` names
/// modules that only the tests see.
func module(
  _ name: String, _ imports: [String] = [], tested: Bool = true, simulated: Bool = false, testsImport: [String] = [],
  fixtures: [String] = []
) -> [Target] {
  let dependencies = imports.map { Target.Dependency(stringLiteral: $0) }
  let library = Target.target(name: name, dependencies: dependencies, swiftSettings: strict)
  guard tested else { return [library] }
  let others = testsImport.map { Target.Dependency(stringLiteral: $0) } + (simulated ? ["TestSupport"] : [])
  let testImports = [Target.Dependency(stringLiteral: name)] + dependencies + others
  return [
    library,
    .testTarget(name: name + "Tests", dependencies: testImports, exclude: fixtures, swiftSettings: strict),
  ]
}

/// A program in Sources/<name>, and tests of its parts in Tests/<name>Tests where `tested`.
func program(_ name: String, _ imports: [String] = [], tested: Bool = false) -> [Target] {
  let dependencies = imports.map { Target.Dependency(stringLiteral: $0) }
  let program = Target.executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
  guard tested else { return [program] }
  let testImports: [Target.Dependency] = [.init(stringLiteral: name), "Primitives"]
  return [program, .testTarget(name: name + "Tests", dependencies: testImports, swiftSettings: strict)]
}

/// A program in Examples/sdk/<name>, as a newcomer writes it: without our settings.
func example(_ name: String) -> [Target] {
  [
    .executableTarget(
      name: name, dependencies: ["OttlaClient"], path: "Examples/sdk/\(name)",
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])
  ]
}

/// A small C bridge in Sources/<name>, linked with the system libraries it names.
func bridge(_ name: String, libraries: [String] = []) -> [Target] {
  [.target(name: name, linkerSettings: libraries.map { .linkedLibrary($0) })]
}

/// A module that the demos share, in Examples/Kit/<name>, and its tests; `fixtures` are no source. It is no part of the SDK.
func kit(_ name: String, _ imports: [String], testsImport: [String], fixtures: [String] = []) -> [Target] {
  let dependencies = imports.map { Target.Dependency(stringLiteral: $0) }
  let testImports = [Target.Dependency(stringLiteral: name)] + testsImport.map { .init(stringLiteral: $0) }
  return [
    .target(name: name, dependencies: dependencies, path: "Examples/Kit/\(name)", swiftSettings: strict),
    .testTarget(name: name + "Tests", dependencies: testImports, exclude: fixtures, swiftSettings: strict),
  ]
}

/// A program of a demo, in Examples/<demo>/<name>.
func demo(_ name: String, of demo: String, _ imports: [String]) -> [Target] {
  [
    .executableTarget(
      name: name, dependencies: imports.map { Target.Dependency(stringLiteral: $0) },
      path: "Examples/\(demo)/\(name)", swiftSettings: strict)
  ]
}

/// What the programs of a demo decide, in Examples/<demo>/<name>, and its tests.
func decisions(_ name: String, of demo: String, _ imports: [String], testsImport: [String] = []) -> [Target] {
  let dependencies = imports.map { Target.Dependency(stringLiteral: $0) }
  let testImports =
    [Target.Dependency(stringLiteral: name)] + dependencies + testsImport.map { .init(stringLiteral: $0) }
  return [
    .target(name: name, dependencies: dependencies, path: "Examples/\(demo)/\(name)", swiftSettings: strict),
    .testTarget(name: name + "Tests", dependencies: testImports, swiftSettings: strict),
  ]
}

/// What the programs of a demo share, in Examples/<demo>/<name>.
func parts(_ name: String, of demo: String, _ imports: [String]) -> [Target] {
  [
    .target(
      name: name, dependencies: imports.map { Target.Dependency(stringLiteral: $0) },
      path: "Examples/\(demo)/\(name)", swiftSettings: strict)
  ]
}

let targets: [[Target]] = [
  // -- bridges to C
  bridge("CChecksum"),
  bridge("CLinux"),
  bridge("CCompression", libraries: ["z", "lz4", "zstd", "snappy"]),
  bridge("CLibrdkafka", libraries: ["rdkafka"]),
  bridge("COpenSSL", libraries: ["ssl", "crypto"]),
  bridge("CZooKeeper", libraries: ["zookeeper_mt"]),
  bridge("CPostgreSQL", libraries: ["pq"]),
  bridge("CSQLite", libraries: ["sqlite3"]),
  bridge("CCurl", libraries: ["curl"]),
  bridge("CMicrohttpd", libraries: ["microhttpd"]),

  // -- vocabulary
  module("Primitives", ["CChecksum"]),
  module("Effects", ["Primitives"], tested: false),
  module("Observability", ["Primitives"]),

  // -- formats
  module("KafkaProtocol", ["Primitives"], fixtures: ["Golden.txt", "make_golden.py"]),
  module("Records", ["Primitives", "CCompression"], fixtures: ["make_golden.py"]),
  module("Configuration", ["Primitives"]),

  // -- one node
  module(
    "Storage", ["Primitives", "Effects", "Records", "Configuration", "Observability"], testsImport: ["Simulation"]),
  module("Cluster", ["Primitives", "KafkaProtocol", "Configuration"]),

  // -- roles in a cluster
  module(
    "Coordination", ["Primitives", "Effects", "Cluster", "KafkaProtocol"], simulated: true,
    testsImport: ["Simulation"]),
  module(
    "Replication", ["Primitives", "Effects", "Records", "Configuration", "Storage", "Cluster", "KafkaProtocol"],
    simulated: true, testsImport: ["Simulation"]),
  module("Groups", ["Primitives", "KafkaProtocol"]),

  // -- the broker
  module(
    "Broker",
    [
      "Primitives", "Effects", "Observability", "KafkaProtocol", "Records", "Configuration", "Storage",
      "Cluster", "Coordination", "Replication", "Groups",
    ], simulated: true, testsImport: ["Simulation"]),

  // -- shells
  module("Threads", ["CLinux"]),
  module(
    "Runtime",
    [
      "Primitives", "Effects", "Observability", "Configuration", "Storage", "Cluster", "Coordination",
      "Broker", "Threads", "CLinux",
    ], simulated: true, testsImport: ["KafkaProtocol"]),

  module(
    "ZooKeeper", ["Primitives", "Coordination", "CZooKeeper"], simulated: true,
    testsImport: ["Effects", "Cluster", "KafkaProtocol", "Simulation"]),

  // -- the outside world, simulated
  module(
    "Simulation",
    [
      "Primitives", "Effects", "Observability", "Configuration", "KafkaProtocol", "Records", "Storage", "Cluster",
      "Coordination", "Replication", "Groups", "Broker",
    ], simulated: true),

  // -- a broker for other people's tests
  module(
    "OttlaTesting",
    [
      "Primitives", "Effects", "Observability", "Configuration", "Cluster", "Coordination", "Broker", "Runtime",
      "Simulation", "CLinux",
    ], testsImport: ["Client", "KafkaProtocol", "Records", "Replication", "Storage"]),

  // -- for tests only
  [
    .target(
      name: "TestSupport",
      dependencies: ["Primitives", "Effects", "Observability", "KafkaProtocol", "Cluster", "Coordination"],
      path: "Tests/TestSupport",
      swiftSettings: strict)
  ],

  [
    .target(
      name: "TestServers", dependencies: ["OttlaClient", "OttlaSQL", "OttlaPostgreSQL"], path: "Tests/TestServers",
      exclude: ["secured_listener.py"],
      swiftSettings: strict)
  ],

  // -- the SDK
  module("Client", ["Primitives", "KafkaProtocol", "CLibrdkafka", "COpenSSL", "CLinux"]),
  module(
    "OttlaClient", ["Primitives", "KafkaProtocol", "CLibrdkafka", "Client"], testsImport: ["OttlaJSON", "TestServers"]),
  module("OttlaJSON", ["OttlaClient"], tested: false),
  module("OttlaErrorHandling", ["OttlaClient"], testsImport: ["OttlaJSON", "ProcessingChild", "TestServers"]),
  [
    .executableTarget(
      name: "ProcessingChild", dependencies: ["OttlaClient", "OttlaErrorHandling"], path: "Tests/ProcessingChild",
      swiftSettings: strict)
  ],

  // -- databases, and the transactional outbox in them: the SDK's too
  module("OttlaSQL", ["Threads"]),
  module("OttlaPostgreSQL", ["OttlaSQL", "CPostgreSQL"], testsImport: ["TestServers"]),
  module("OttlaSQLite", ["OttlaSQL", "CSQLite"], testsImport: ["TestServers"]),
  module(
    "OttlaOutbox", ["OttlaSQL"],
    testsImport: ["OttlaClient", "OttlaOutboxProducer", "OttlaPostgreSQL", "OttlaSQLite", "TestServers"]),
  module(
    "OttlaOutboxProducer", ["OttlaClient", "OttlaErrorHandling", "OttlaOutbox", "OttlaSQL"],
    testsImport: ["OttlaPostgreSQL", "OttlaSQLite", "TestServers"]),

  [
    .executableTarget(
      name: "outbox-drill", dependencies: ["OttlaSQL", "OttlaPostgreSQL", "OttlaSQLite", "OttlaOutbox"],
      path: "Tests/OutboxDrill", swiftSettings: strict)
  ],

  // -- for the demos
  kit("HTTPServing", ["CMicrohttpd"], testsImport: ["TestServers"]),
  kit("Launching", [], testsImport: []),
  kit("Mailing", ["Threads", "CCurl"], testsImport: ["TestServers", "CCurl"], fixtures: ["smtp_server.py"]),

  // Examples/user-notifications
  decisions(
    "UserNotifications", of: "user-notifications", ["OttlaClient"],
    testsImport: ["notification-consumer", "OttlaJSON", "OttlaTesting", "TestServers"]),
  demo(
    "notification-producer", of: "user-notifications",
    ["UserNotifications", "OttlaClient", "OttlaJSON", "HTTPServing", "Launching"]),
  demo(
    "notification-consumer", of: "user-notifications",
    ["UserNotifications", "OttlaClient", "OttlaJSON", "HTTPServing", "Launching"]),

  // Examples/booking-limit
  parts(
    "ServiceSteps", of: "booking-limit",
    [
      "Launching", "OttlaClient", "OttlaErrorHandling", "OttlaJSON", "OttlaOutbox", "OttlaPostgreSQL", "OttlaSQL",
      "OttlaSQLite",
    ]),
  demo(
    "booking-service", of: "booking-limit", ["HTTPServing", "Launching", "OttlaClient", "OttlaJSON", "ServiceSteps"]),
  demo("limit-service", of: "booking-limit", ["Launching", "OttlaClient", "OttlaSQL", "ServiceSteps"]),
  demo("order-service", of: "booking-limit", ["Launching", "OttlaSQL", "ServiceSteps"]),
  demo("shipment-service", of: "booking-limit", ["Launching", "OttlaSQL", "ServiceSteps"]),
  demo(
    "email-service", of: "booking-limit",
    ["Launching", "Mailing", "OttlaClient", "OttlaErrorHandling", "OttlaJSON", "OttlaSQL", "ServiceSteps"]),
  [
    .testTarget(
      name: "BookingLimitTests",
      dependencies: [
        "booking-service", "limit-service", "email-service", "ServiceSteps", "Launching", "Mailing", "OttlaClient",
        "OttlaErrorHandling", "OttlaSQL", "OttlaSQLite", "OttlaTesting", "TestServers",
      ], swiftSettings: strict)
  ],

  // Examples/notification-services
  [
    .target(
      name: "NotificationVocabulary",
      dependencies: ["Launching", "OttlaClient", "OttlaErrorHandling", "OttlaPostgreSQL", "OttlaSQL"],
      path: "Examples/notification-services/vocabulary", swiftSettings: strict)
  ],
  demo(
    "account-service", of: "notification-services",
    [
      "HTTPServing", "Launching", "NotificationVocabulary", "OttlaClient", "OttlaErrorHandling", "OttlaJSON",
      "OttlaOutbox", "OttlaOutboxProducer", "OttlaPostgreSQL", "OttlaSQL",
    ]),
  demo(
    "notification-service", of: "notification-services",
    [
      "Launching", "Mailing", "NotificationVocabulary", "OttlaClient", "OttlaErrorHandling", "OttlaJSON",
      "OttlaOutboxProducer",
    ]),
  demo(
    "statistic-service", of: "notification-services",
    [
      "Launching", "NotificationVocabulary", "OttlaClient", "OttlaErrorHandling", "OttlaJSON", "OttlaOutboxProducer",
      "OttlaPostgreSQL", "OttlaSQL",
    ]),
  demo(
    "dlt-reader", of: "notification-services",
    ["Launching", "NotificationVocabulary", "OttlaClient", "OttlaErrorHandling"]),
  [
    .testTarget(
      name: "NotificationServicesTests",
      dependencies: [
        "account-service", "dlt-reader", "notification-service", "statistic-service", "HTTPServing", "Launching",
        "Mailing", "NotificationVocabulary", "OttlaClient", "OttlaErrorHandling", "OttlaJSON", "OttlaOutbox",
        "OttlaSQL", "OttlaPostgreSQL", "TestServers",
      ], swiftSettings: strict)
  ],

  // -- programs
  program(
    "ottla",
    [
      "Primitives", "Effects", "Observability", "Configuration", "KafkaProtocol", "Records", "Storage",
      "Coordination", "Broker", "Runtime", "ZooKeeper", "Client", "CLinux",
    ], tested: true),
  program("simulate", ["Simulation"]),
  program("schemagen"),
  program("sdkbench", ["OttlaClient"]),

  // -- what docs/sdk quotes
  example("first-producer"),
  example("first-consumer"),
  [
    .target(
      name: "Snippets", dependencies: ["OttlaClient", "OttlaJSON"], path: "Examples/sdk/snippets",
      swiftSettings: strict)
  ],
]

let products: [Product] = [
  .library(name: "OttlaClient", targets: ["OttlaClient", "OttlaErrorHandling", "OttlaJSON"]),
  .library(
    name: "OttlaOutbox", targets: ["OttlaOutbox", "OttlaOutboxProducer", "OttlaSQL", "OttlaPostgreSQL", "OttlaSQLite"]),
  .library(name: "OttlaTesting", targets: ["OttlaTesting"]),
]

let package = Package(name: "ottla", products: products, targets: targets.flatMap { $0 })
