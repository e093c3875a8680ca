/// The client's half of SCRAM (RFC 5802): proves that it knows the password without saying it, and has the broker prove the same.
///
/// No channel binding, no authorization identity. One exchange a login.
struct ScramExchange {
  /// What is wrong with the broker's part, in words.
  struct Refusal: Error, Hashable { let reason: String }

  /// A broker may ask for so many rounds: fewer would make the password easy to guess, more would hold us up for seconds.
  static let iterations = 4096...1_000_000

  private let hash: ScramHash
  private let password: [UInt8]
  private let nonce: String
  private let clientFirstBare: String
  private var serverSignature: [UInt8] = []

  /// - Parameter nonce: printable, without a comma, and never used before.
  init(_ hash: ScramHash, username: String, password: String, nonce: String) {
    self.hash = hash
    self.password = Array(password.utf8)
    self.nonce = nonce
    clientFirstBare = "n=\(Self.escaped(username)),r=\(nonce)"
  }

  /// The first message.
  var clientFirst: String { "n,,\(clientFirstBare)" }

  /// The second message, which answers the broker's first.
  mutating func clientFinal(answering serverFirst: String) throws(Refusal) -> String {
    let parts = try Self.attributes(serverFirst)
    guard let theirs = parts["r"], theirs.hasPrefix(nonce), theirs != nonce else {
      throw Refusal(reason: "the broker answers another login than ours")
    }
    guard let salt = parts["s"].flatMap(Base64.decode), let count = parts["i"].flatMap({ Int($0) }) else {
      throw Refusal(reason: "the broker's first SCRAM message has no salt or no count of iterations")
    }
    guard Self.iterations.contains(count) else {
      throw Refusal(
        reason: "the broker asks for \(count) iterations; from \(Self.iterations.lowerBound) to "
          + "\(Self.iterations.upperBound) are done")
    }
    let bare = "c=biws,r=\(theirs)"
    let message = Array("\(clientFirstBare),\(serverFirst),\(bare)".utf8)
    let salted = hash.derive(password, salt: salt, iterations: count)
    let clientKey = hash.authenticate(Array("Client Key".utf8), key: salted)
    let signature = hash.authenticate(message, key: hash.digest(clientKey))
    serverSignature = hash.authenticate(message, key: hash.authenticate(Array("Server Key".utf8), key: salted))
    let proof = zip(clientKey, signature).map { $0 ^ $1 }
    return "\(bare),p=\(Base64.encode(proof))"
  }

  /// Checks the broker's last message: it knows the password too.
  func verify(_ serverFinal: String) throws(Refusal) {
    let parts = try Self.attributes(serverFinal)
    if let error = parts["e"] { throw Refusal(reason: "the broker says \(error)") }
    guard !serverSignature.isEmpty, parts["v"].flatMap(Base64.decode) == serverSignature else {
      throw Refusal(reason: "the broker does not know the password: it is not the one it claims to be")
    }
  }

  private static func escaped(_ name: String) -> String {
    name.map { $0 == "=" ? "=3D" : $0 == "," ? "=2C" : String($0) }.joined()
  }

  private static func attributes(_ message: String) throws(Refusal) -> [String: String] {
    var parts: [String: String] = [:]
    for part in message.split(separator: ",") {
      guard let sign = part.firstIndex(of: "="), part.distance(from: part.startIndex, to: sign) == 1 else {
        throw Refusal(reason: "the broker's SCRAM message cannot be read")
      }
      parts[String(part[..<sign])] = String(part[part.index(after: sign)...])
    }
    // Extensions that must be understood.
    guard parts["m"] == nil else { throw Refusal(reason: "the broker asks for SCRAM extensions that are not known") }
    return parts
  }
}
