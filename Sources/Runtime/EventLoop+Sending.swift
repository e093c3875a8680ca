internal import Broker
internal import CLinux
internal import Effects
internal import Glibc

/// Bytes on their way out: as much as the socket takes now.
extension EventLoop {
  func write(_ bytes: UnsafeRawBufferPointer, to connection: ConnectionID, moreFollows: Bool) -> WriteOutcome {
    guard isOpen(connection) else { return .failed }
    let sent = ottla_send(sockets[connection.slot].descriptor, bytes.baseAddress, bytes.count, moreFollows ? 1 : 0)
    if sent == -Int(EAGAIN) { return .accepted(0) }
    return sent < 0 ? .failed : .accepted(sent)
  }

  func write(
    _ file: any File, from position: Int64, byteCount: Int, to connection: ConnectionID
  ) -> WriteOutcome {
    guard isOpen(connection) else { return .failed }
    guard let file = file as? LinuxFile else { return copy(file, from: position, byteCount: byteCount, to: connection) }
    var done = 0
    while done < byteCount {
      let sent = ottla_send_file(
        sockets[connection.slot].descriptor, file.descriptor, position + Int64(done), byteCount - done)
      if sent == -Int(EAGAIN) { break }
      // Nothing sent though the socket has room: the file is shorter than was promised.
      guard sent > 0 else { return .failed }
      done += sent
    }
    return .accepted(done)
  }

  /// Sends from a file that the kernel does not have: through a buffer.
  private func copy(
    _ file: any File, from position: Int64, byteCount: Int, to connection: ConnectionID
  ) -> WriteOutcome {
    withUnsafeTemporaryAllocation(byteCount: min(byteCount, Self.copyBytes), alignment: 16) { buffer in
      var done = 0
      while done < byteCount {
        let portion = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, byteCount - done)])
        guard let count = try? file.read(into: portion, at: position + Int64(done)), count > 0 else { return .failed }
        let sent = ottla_send(sockets[connection.slot].descriptor, portion.baseAddress, count, 0)
        if sent == -Int(EAGAIN) { break }
        guard sent > 0 else { return .failed }
        done += sent
      }
      return .accepted(done)
    }
  }

  private static let copyBytes = 64 << 10
}
