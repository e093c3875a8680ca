internal import COpenSSL

/// The hash function of a SCRAM mechanism, and what is made of it.
enum ScramHash {
  case sha256
  case sha512

  private var function: OpaquePointer? { self == .sha256 ? EVP_sha256() : EVP_sha512() }
  private var byteCount: Int { self == .sha256 ? 32 : 64 }

  /// The hash of `bytes`.
  func digest(_ bytes: [UInt8]) -> [UInt8] {
    fill { EVP_Digest(bytes, bytes.count, $0, nil, function, nil) == 1 }
  }

  /// HMAC of `bytes`.
  func authenticate(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
    fill { HMAC(function, key, Int32(clamping: key.count), bytes, bytes.count, $0, nil) != nil }
  }

  /// The salted password: PBKDF2 with HMAC.
  func derive(_ password: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
    fill { output in
      password.withUnsafeBytes { password in
        PKCS5_PBKDF2_HMAC(
          password.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: password.count), salt,
          Int32(clamping: salt.count), Int32(clamping: iterations), function, Int32(clamping: byteCount), output) == 1
      }
    }
  }

  private func fill(_ body: (UnsafeMutablePointer<UInt8>?) -> Bool) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: byteCount)
    let worked = output.withUnsafeMutableBufferPointer { body($0.baseAddress) }
    precondition(worked, "OpenSSL has no \(self)")
    return output
  }
}

/// A word that was never said before, for one login.
enum Nonce {
  /// - Throws: `.tlsFailed` where the system has no randomness.
  static func make() throws(ClientError) -> String {
    var bytes = [UInt8](repeating: 0, count: 24)
    guard RAND_bytes(&bytes, Int32(clamping: bytes.count)) == 1 else {
      throw .tlsFailed(TLSContext.failure("drawing random bytes"))
    }
    return Base64.encode(bytes)
  }
}
