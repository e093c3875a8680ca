import Foundation

// Reads every file in Schemas/ and writes the Swift it stands for. Run from the root of the repository:
// `swift run schemagen`. The same schemas always give the same bytes.

do {
  try Generation(root: FileManager.default.currentDirectoryPath).run()
} catch let error as SchemaError {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
} catch {
  FileHandle.standardError.write(Data("schemagen: \(error)\n".utf8))
  exit(1)
}
