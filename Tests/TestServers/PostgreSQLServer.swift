internal import Foundation
package import OttlaPostgreSQL
internal import OttlaSQL

/// Debian's PostgreSQL on a port of its own, in a temporary folder, with passwords (SCRAM) and without Unix sockets.
package actor PostgreSQLServer {
  package static let user = "ottla"
  package static let password = "correct horse"
  package static let shared = PostgreSQLServer()

  /// Why there is none on this machine, or nil.
  package static let missing: String? =
    programs == nil ? "PostgreSQL is not installed; `make test-packages` installs it (Debian: postgresql-15)" : nil

  private static let programs: String? = {
    let root = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return versions.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) }.map { "\(root)/\($0)/bin" }
      .last { FileManager.default.isExecutableFile(atPath: "\($0)/initdb") }
  }()

  private var folder = ""
  private var port = 0
  private var process: GuardedProcess?
  private var databaseCount = 0

  package init() {}

  deinit {
    process?.stop()
    if !folder.isEmpty { try? FileManager.default.removeItem(atPath: folder) }
  }

  /// Starts it where it does not run.
  package func start() async throws {
    if process != nil { return try await waitUntilItAnswers() }
    guard let programs = Self.programs else { throw SQLError(.unreachable, Self.missing ?? "") }
    if folder.isEmpty { try initialise(programs) }
    // INT cuts the clients' connections off; TERM would wait for them.
    process = try GuardedProcess(
      Self.unprivileged([
        "\(programs)/postgres", "-D", "\(folder)/data", "-p", "\(port)", "-c", "listen_addresses=127.0.0.1", "-c",
        "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=50",
      ]), output: "\(folder)/log", folder: folder, signal: "INT")
    try await waitUntilItAnswers()
  }

  /// Whoever comes while another starts it waits too.
  private func waitUntilItAnswers() async throws {
    let database = SQLDatabase.postgreSQL(options(database: "postgres"))
    var failure = await Self.failure(of: database)
    for _ in 0..<200 where failure?.kind == .unreachable {
      try await Task.sleep(for: .milliseconds(50))
      failure = await Self.failure(of: database)
    }
    await database.close()
    if let failure { throw failure }
  }

  private static func failure(of database: SQLDatabase) async -> SQLError? {
    do {
      try await database.run("SELECT 1")
      return nil
    } catch {
      return error
    }
  }

  /// Ends it as an administrator does: all connections are cut.
  package func stop() {
    process?.stop()
    process = nil
  }

  /// A database of the caller's own, on a server that runs.
  package func makeDatabase() async throws -> PostgreSQLOptions {
    try await start()
    databaseCount += 1
    let name = "test\(databaseCount)"
    let database = SQLDatabase.postgreSQL(options(database: "postgres"))
    try await database.run("CREATE DATABASE \(name: name)")
    await database.close()
    return options(database: name)
  }

  private func options(database: String) -> PostgreSQLOptions {
    PostgreSQLOptions(port: port, database: database, user: Self.user, password: Self.password)
  }

  private func initialise(_ programs: String) throws {
    folder = try temporaryFolder("postgresql")
    port = try freePort()
    let passwords = "\(folder)/password"
    try Self.password.write(toFile: passwords, atomically: true, encoding: .utf8)
    if geteuid() == 0 { try Self.run(["/bin/chown", "-R", "postgres", folder], log: "/dev/null") }
    try Self.run(
      Self.unprivileged([
        "\(programs)/initdb", "-D", "\(folder)/data", "-U", Self.user, "--auth=scram-sha-256", "--pwfile=\(passwords)",
        "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8",
      ]), log: "\(folder)/initdb.log")
  }

  /// PostgreSQL refuses to run as root.
  private static func unprivileged(_ command: [String]) -> [String] {
    guard geteuid() == 0 else { return command }
    return ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] + command
  }

  private static func run(_ command: [String], log: String) throws {
    let status = try SpawnedProgram(command, output: log).wait()
    guard status == 0 else {
      let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      throw SQLError(.other, "\(command.joined(separator: " ")) ended with \(status): \(text)")
    }
  }
}
