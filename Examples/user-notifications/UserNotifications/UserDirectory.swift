/// Somebody who sends and receives notifications.
package struct User: Codable, Hashable, Sendable {
  package let id: Int
  package let name: String

  package init(id: Int, name: String) {
    self.id = id
    self.name = name
  }
}

/// The users there are. A real system would ask its database.
package struct UserDirectory: Sendable {
  /// The four of this demo.
  package static let demo = UserDirectory([
    User(id: 1, name: "An"), User(id: 2, name: "Bình"), User(id: 3, name: "Chi"), User(id: 4, name: "Dũng"),
  ])

  package let users: [User]

  package init(_ users: [User]) { self.users = users }

  /// The user whose id somebody has written.
  ///
  /// - Throws: `.badID` for what is no number, `.unknown` for a number that nobody has.
  package func user(withID text: String) throws(UserError) -> User {
    guard let id = Int(text) else { throw .badID(text) }
    guard let user = users.first(where: { $0.id == id }) else {
      throw .unknown(id: id, known: users.map(\.id).sorted())
    }
    return user
  }
}

/// Why there is no such user.
package enum UserError: Error, Hashable, Sendable, CustomStringConvertible {
  case badID(String)
  case unknown(id: Int, known: [Int])

  /// The status of HTTP that says so.
  package var status: Int {
    switch self {
    case .badID: 400
    case .unknown: 404
    }
  }

  package var description: String {
    switch self {
    case .badID(let text): "\"\(text)\" is no user's id: an id is a number"
    case .unknown(let id, let known):
      "there is no user \(id); there are \(known.map(String.init).joined(separator: ", "))"
    }
  }
}
