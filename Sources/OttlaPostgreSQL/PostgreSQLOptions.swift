public import OttlaSQL

/// Where a PostgreSQL server is, who connects, and the limits.
///
/// ```swift
/// var options = PostgreSQLOptions(host: "db.example", database: "shop", user: "shop", password: password)
/// options.tls = .verifyFull
/// options.statementMsMax = 5000
/// let database = SQLDatabase.postgreSQL(options)
/// ```
///
/// For a service of which ten run, with a server in another town:
///
/// ```swift
/// var options = PostgreSQLOptions(host: "db.example", port: 5433, database: "shop", user: "shop", password: password)
/// options.connectionsMax = 8               // ten times 8 is less than the server's max_connections of 100
/// options.connectSecondsMax = 3            // a request does not wait longer for a server that is away
/// options.silenceMsMax = 10_000            // a cable that was cut is noticed after so long
/// options.applicationName = "shop-orders"  // pg_stat_activity says whose connections they are
/// options.tls = .verifyFull                // the way to the server is not ours
/// options.others = ["sslrootcert": "/etc/ssl/shop-ca.pem"]
/// ```
public struct PostgreSQLOptions: Sendable, Hashable {
  /// Whether the connection is encrypted, in libpq's words (`sslmode`).
  ///
  /// ```swift
  /// func encryption(to host: String) -> PostgreSQLOptions.TLS {
  ///   switch host {
  ///   case "127.0.0.1", "localhost": .disable             // nothing leaves the machine
  ///   case _ where host.hasSuffix(".internal"): .require  // our own network, and certificates that nobody has signed
  ///   case "old-db.example": .prefer                      // until TLS is switched on there
  ///   default: .verifyFull                                // else anybody on the way could be the server
  ///   }
  /// }
  /// ```
  public enum TLS: String, Sendable, Hashable {
    /// Never.
    case disable
    /// Where the server can.
    case prefer
    /// Always; whose certificate it is does not matter.
    case require
    /// Required, and the server's certificate must be one of its host name.
    case verifyFull = "verify-full"
  }

  /// A name, an address, or the folder of a Unix socket.
  public var host: String
  /// The port there.
  public var port: Int
  /// The database's name.
  public var database: String
  /// Who connects.
  public var user: String
  /// Nil where the server asks for none, or `~/.pgpass` has it.
  public var password: String?
  /// Whether the connection is encrypted.
  public var tls = TLS.prefer
  /// How many connections there may be, each with a thread.
  public var connectionsMax = 4
  /// How long connecting may take, in seconds; libpq makes less than 2 into 2.
  public var connectSecondsMax = 5
  /// How long the server works at one statement, in milliseconds; 0 is for ever.
  public var statementMsMax = 30_000
  /// How long a server that does not answer on the network is waited for, in milliseconds, before the connection counts as lost.
  public var silenceMsMax = 15_000
  /// What the server's lists of connections show.
  public var applicationName = "ottla"
  /// Other parameters of libpq, which win: `["sslrootcert": "/etc/ssl/ca.pem"]`.
  public var others: [String: String] = [:]

  /// A server with the default limits. Nothing is connected yet.
  public init(
    host: String = "127.0.0.1", port: Int = 5432, database: String, user: String, password: String? = nil
  ) {
    self.host = host
    self.port = port
    self.database = database
    self.user = user
    self.password = password
  }

  /// Names and values as `PQconnectdbParams` takes them, by name.
  var parameters: [(name: String, value: String)] {
    var values = [
      "host": host, "port": String(port), "dbname": database, "user": user, "sslmode": tls.rawValue,
      "connect_timeout": String(connectSecondsMax), "application_name": applicationName, "client_encoding": "UTF8",
      "tcp_user_timeout": String(silenceMsMax), "keepalives_idle": String(max(1, silenceMsMax / 3000)),
      "keepalives_interval": String(max(1, silenceMsMax / 3000)), "keepalives_count": "2",
      "options": "-c statement_timeout=\(statementMsMax) -c bytea_output=hex",
    ]
    if let password { values["password"] = password }
    values.merge(others) { _, other in other }
    return values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
  }
}

extension SQLDatabase {
  /// A PostgreSQL database. Connects when it is first used.
  ///
  /// ```swift
  /// let database = SQLDatabase.postgreSQL(PostgreSQLOptions(database: "shop", user: "shop", password: "..."))
  /// let names = try await database.run("SELECT name FROM items WHERE price < \(limit)").rows.map {
  ///   try $0.value("name", as: String.self)
  /// }
  /// ```
  public static func postgreSQL(_ options: PostgreSQLOptions) -> SQLDatabase {
    SQLDatabase(dialect: .postgreSQL, connectionsMax: options.connectionsMax) { () throws(SQLError) in
      try PostgreSQLSession(options)
    }
  }
}
