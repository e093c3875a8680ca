internal import CPostgreSQL
internal import OttlaSQL

/// A connection over libpq.
final class PostgreSQLSession: SQLSession {
  private let connection: OpaquePointer

  init(_ options: PostgreSQLOptions) throws(SQLError) {
    let place = "\(options.host):\(options.port)"
    guard let connection = Self.connect(options.parameters) else {
      throw SQLError(.resources, "no memory for a connection to PostgreSQL at \(place)")
    }
    ottla_postgresql_silence(connection)
    guard PQstatus(connection) == CONNECTION_OK else {
      defer { PQfinish(connection) }
      throw PostgreSQLErrors.ofConnecting(
        message: PostgreSQLErrors.sentence(PQerrorMessage(connection)), place: place,
        wantsPassword: PQconnectionNeedsPassword(connection) == 1)
    }
    self.connection = connection
  }

  deinit { PQfinish(connection) }

  private static func connect(_ parameters: [(name: String, value: String)]) -> OpaquePointer? {
    withCStrings(parameters.map(\.name)) { names in
      withCStrings(parameters.map(\.value)) { values in PQconnectdbParams(names, values, 0) }
    }
  }

  var isUsable: Bool {
    // Takes what has arrived, and waits for nothing: first the server's farewell, where there is one, then the end behind it.
    PQconsumeInput(connection) == 1 && PQconsumeInput(connection) == 1 && PQstatus(connection) == CONNECTION_OK
  }

  var isTransactionBroken: Bool { PQtransactionStatus(connection) == PQTRANS_INERROR }

  var isTransactionOpen: Bool {
    let status = PQtransactionStatus(connection)
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE
  }

  func run(_ statement: SQLStatement) throws(SQLError) -> SQLResult {
    let parameters = try PostgreSQLParameters(statement.parameters)
    let result = parameters.withPointers { values, lengths, formats in
      PQexecParams(connection, statement.text, Int32(parameters.count), nil, values, lengths, formats, 0)
    }
    defer { PQclear(result) }
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
      return try PostgreSQLRows.result(result)
    case PGRES_EMPTY_QUERY:
      throw SQLError(.statement, "the statement is empty")
    case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
      // The connection is in the middle of a copy now, from which nothing but its end leads out.
      PQreset(connection)
      throw SQLError(.statement, "COPY is not supported", advice: "use INSERT and SELECT")
    default:
      throw PostgreSQLErrors.ofStatement(
        sqlstate: ottla_postgresql_sqlstate(result).map { String(cString: $0) },
        message: ottla_postgresql_message(result).map { String(cString: $0) }
          ?? PostgreSQLErrors.sentence(PQerrorMessage(connection)),
        isConnected: PQstatus(connection) == CONNECTION_OK)
    }
  }
}

/// Calls `body` with the strings as C has them, and a null after the last.
private func withCStrings<Value>(
  _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Value
) -> Value {
  let bytes = strings.map { Array($0.utf8CString) }
  var flat: [CChar] = []
  var offsets: [Int] = []
  for one in bytes {
    offsets.append(flat.count)
    flat += one
  }
  return flat.withUnsafeBufferPointer { flat in
    var pointers: [UnsafePointer<CChar>?] = offsets.map { offset in flat.baseAddress.map { $0 + offset } }
    pointers.append(nil)
    return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
