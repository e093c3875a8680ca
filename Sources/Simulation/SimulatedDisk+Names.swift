package import Effects

private let noSuchFile: Int32 = 2
private let isThereAlready: Int32 = 17
private let isNoDirectory: Int32 = 20
private let isADirectory: Int32 = 21

/// Folders and names.
extension SimulatedDisk: FileSystem {
  package func open(_ path: String, _ mode: OpenMode) throws(IOError) -> any File {
    let pageByteCount = pageByteCount
    let number = try perform(.open, path) { state throws(IOError) -> Int in
      switch state.tree.entry(path) {
      case .file(let number): return number
      case .folder: throw IOError(operation: "open", path: path, errno: isADirectory)
      case nil:
        guard mode == .readWrite, let place = state.tree.place(of: path) else {
          throw IOError(operation: "open", path: path, errno: noSuchFile)
        }
        state.files.append(FileContents(pageByteCount: pageByteCount))
        let number = state.files.count - 1
        state.tree.change(.init(folder: place.folder, name: place.name, entry: .file(number)))
        return number
      }
    }
    return SimulatedFile(disk: self, number: number, path: path)
  }

  package func exists(_ path: String) -> Bool { look { $0.entry(path) != nil } }
  package func isDirectory(_ path: String) -> Bool { look { $0.folder(path) != nil } }

  package func list(_ directory: String) throws(IOError) -> [String] {
    try perform(.list, directory) { state throws(IOError) in
      state.tree.folders[try state.folder(directory, "list")].names.keys.sorted()
    }
  }

  package func createDirectory(_ path: String) throws(IOError) {
    try perform(.createDirectory, path) { state throws(IOError) in
      guard state.tree.createFolders(path) else {
        throw IOError(operation: "mkdir", path: path, errno: isThereAlready)
      }
    }
  }

  package func rename(_ from: String, to: String) throws(IOError) {
    try perform(.rename, from) { state throws(IOError) in
      guard let entry = state.tree.entry(from), let old = state.tree.place(of: from),
        let new = state.tree.place(of: to)
      else { throw IOError(operation: "rename", path: from, errno: noSuchFile) }
      guard old != new else { return }
      state.tree.change(
        .init(folder: old.folder, name: old.name, entry: nil), .init(folder: new.folder, name: new.name, entry: entry))
    }
  }

  package func removeFile(_ path: String) throws(IOError) {
    try perform(.removeFile, path) { state throws(IOError) in
      guard case .file = state.tree.entry(path), let place = state.tree.place(of: path) else {
        throw IOError(operation: "unlink", path: path, errno: noSuchFile)
      }
      state.tree.change(.init(folder: place.folder, name: place.name, entry: nil))
    }
  }

  package func removeDirectory(_ path: String) throws(IOError) {
    try perform(.removeDirectory, path) { state throws(IOError) in
      _ = try state.folder(path, "rmdir")
      guard let place = state.tree.place(of: path) else {
        throw IOError(operation: "rmdir", path: path, errno: noSuchFile)
      }
      state.tree.change(.init(folder: place.folder, name: place.name, entry: nil))
    }
  }

  package func syncDirectory(_ path: String) throws(IOError) {
    try perform(.syncDirectory, path) { state throws(IOError) in
      state.tree.sync(try state.folder(path, "fsync"))
    }
  }

  package func syncAll(holding path: String) throws(IOError) {
    try perform(.syncAll, path) { state in
      for number in state.files.indices { state.files[number].sync() }
      state.tree.syncAll()
    }
  }

  package func space(at path: String) throws(IOError) -> (totalBytes: Int64, usableBytes: Int64) {
    try perform(.space, path) { state in
      let capacity = state.capacity ?? 1 << 40
      return (capacity, max(0, capacity - state.usedBytes))
    }
  }
}

extension SimulatedDisk.State {
  fileprivate func folder(_ path: String, _ operation: String) throws(IOError) -> Int {
    guard let number = tree.folder(path) else {
      throw IOError(operation: operation, path: path, errno: tree.entry(path) == nil ? noSuchFile : isNoDirectory)
    }
    return number
  }
}
