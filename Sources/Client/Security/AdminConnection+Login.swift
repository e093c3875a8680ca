internal import KafkaProtocol
internal import Primitives

extension AdminConnection {
  /// Logs in (KIP-152): names the mechanism, then sends its messages.
  ///
  /// - Returns: for how many milliseconds the broker takes the login for good; 0 for ever (KIP-368).
  /// - Throws: `.loginRefused` with the broker's reason.
  func logIn(_ login: SASLLogin) throws(ClientError) -> Int64 {
    let mechanism = login.mechanism.rawValue
    let offer = try ask(
      .saslHandshake, SaslHandshakeRequest(mechanism: mechanism), as: SaslHandshakeResponse.self)
    guard offer.errorCode == .none else {
      let offered = offer.mechanisms.isEmpty ? "none" : offer.mechanisms.joined(separator: ", ")
      throw .loginRefused(address, "it does not offer \(mechanism), but \(offered)")
    }
    switch login.mechanism {
    case .plain:
      return try authenticate("\0\(login.username)\0\(login.password)").sessionLifetimeMs
    case .scramSHA256: return try scram(.sha256, login)
    case .scramSHA512: return try scram(.sha512, login)
    }
  }

  private func scram(_ hash: ScramHash, _ login: SASLLogin) throws(ClientError) -> Int64 {
    var exchange = ScramExchange(hash, username: login.username, password: login.password, nonce: try Nonce.make())
    let first = try authenticate(exchange.clientFirst)
    let proof: String
    do throws(ScramExchange.Refusal) { proof = try exchange.clientFinal(answering: Self.text(first)) } catch {
      throw .loginRefused(address, error.reason)
    }
    let final = try authenticate(proof)
    do throws(ScramExchange.Refusal) { try exchange.verify(Self.text(final)) } catch {
      throw .loginRefused(address, error.reason)
    }
    return final.sessionLifetimeMs
  }

  private func authenticate(_ message: String) throws(ClientError) -> SaslAuthenticateResponse {
    let answer = try ask(
      .saslAuthenticate, SaslAuthenticateRequest(authBytes: Array(message.utf8)), as: SaslAuthenticateResponse.self)
    guard answer.errorCode == .none else {
      throw .loginRefused(address, answer.errorMessage ?? answer.errorCode.name)
    }
    return answer
  }

  private static func text(_ answer: SaslAuthenticateResponse) -> String {
    String(decoding: answer.authBytes, as: UTF8.self)
  }
}
