public import OttlaSQL

extension PostgreSQLOptions {
  /// Options from a URL as libpq writes it: `postgresql://user:password@host:port/database?sslmode=require`.
  ///
  /// Without a host it is 127.0.0.1, without a port 5432, without a database the user's name. Characters that mean something in a URL are
  /// written as `%` and two hex digits. What stands behind the question mark are parameters of libpq (``others``).
  ///
  /// ```swift
  /// let database = SQLDatabase.postgreSQL(try PostgreSQLOptions(url: "postgresql://shop:secret@db.example/shop"))
  /// ```
  ///
  /// - Throws: `.misuse` for what is no such URL. The error does not repeat the URL, in which there may be a password.
  public init(url: String) throws(SQLError) {
    let schemes = ["postgresql", "postgres"]
    guard let scheme = url.firstRange(of: "://"), schemes.contains(String(url[..<scheme.lowerBound])) else {
      throw Self.mistake("it does not begin with postgresql://")
    }
    var rest = url[scheme.upperBound...]
    let query = Self.cut(&rest, from: "?")
    let path = Self.cut(&rest, from: "/")
    var login: Substring?
    if let at = rest.lastIndex(of: "@") {
      login = rest[..<at]
      rest = rest[rest.index(after: at)...]
    }
    guard let login, !login.isEmpty else { throw Self.mistake("it names no user") }
    let words = login.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let user = try Self.decoded(words[0])
    guard !user.isEmpty else { throw Self.mistake("it names no user") }
    let password = words.count > 1 ? try Self.decoded(words[1]) : nil
    let place = try Self.place(rest)
    let database = try Self.decoded(path ?? "")
    self.init(
      host: place.host, port: place.port, database: database.isEmpty ? user : database, user: user, password: password)
    for pair in (query ?? "").split(separator: "&") {
      let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard words.count == 2 else { throw Self.mistake("\"\(pair)\" behind its question mark is no name=value") }
      others[try Self.decoded(words[0])] = try Self.decoded(words[1])
    }
  }

  /// What comes after the first `mark`, which is cut off with it; nil where there is none.
  private static func cut(_ text: inout Substring, from mark: Character) -> Substring? {
    guard let index = text.firstIndex(of: mark) else { return nil }
    defer { text = text[..<index] }
    return text[text.index(after: index)...]
  }

  /// Host and port; an IPv6 address stands in brackets.
  private static func place(_ text: Substring) throws(SQLError) -> (host: String, port: Int) {
    var host = text
    var port: Substring?
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { throw mistake("its host has a [ without a ]") }
      host = text[text.index(after: text.startIndex)..<end]
      let behind = text[text.index(after: end)...]
      guard behind.isEmpty || behind.first == ":" else { throw mistake("something other than a port follows its ]") }
      port = behind.isEmpty ? nil : behind.dropFirst()
    } else {
      port = cut(&host, from: ":")
    }
    guard let port, !port.isEmpty else { return (host.isEmpty ? "127.0.0.1" : try decoded(host), 5432) }
    guard let number = Int(port), (1...65_535).contains(number) else { throw mistake("its port \"\(port)\" is none") }
    return (host.isEmpty ? "127.0.0.1" : try decoded(host), number)
  }

  private static func decoded(_ text: Substring) throws(SQLError) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
        throw mistake("a % in it is not followed by two hex digits")
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else { throw mistake("it is not UTF-8") }
    return decoded
  }

  private static func mistake(_ reason: String) -> SQLError {
    SQLError(
      .misuse, "the URL of the database cannot be read: \(reason)",
      advice: "write postgresql://user:password@host:port/database")
  }
}
