import Glibc

/// Whether a broker is at work in a data folder. Only asks: nothing is locked or made.
enum FolderLock {
  /// Whether another process holds the lock of `folder`: ours (flock) or Kafka's (a record lock).
  static func isHeld(in folder: String) -> Bool {
    let descriptor = open(folder + "/.lock", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_SH | LOCK_NB) != 0 { return errno == EWOULDBLOCK }
    flock(descriptor, LOCK_UN)
    var record = flock()
    record.l_type = Int16(F_WRLCK)
    record.l_whence = Int16(SEEK_SET)
    return fcntl(descriptor, F_GETLK, &record) == 0 && record.l_type != Int16(F_UNLCK)
  }

  /// The data folder that is `path` or around it whose broker runs; nil when none does.
  static func folderInUse(around path: String) -> String? {
    var folder = path
    for _ in 0..<3 {
      if isHeld(in: folder) { return folder }
      guard let slash = folder.lastIndex(of: "/"), slash != folder.startIndex else {
        return folder == path && isHeld(in: ".") ? "." : nil
      }
      folder = String(folder[..<slash])
    }
    return nil
  }
}
