import Testing

@testable import Storage

@Suite struct FolderPropertiesTests {
  @Test(arguments: [
    "version=1\ncluster.id=c\nnode.id=1\n", "#comment\nversion = 1\r\nnode.id=0\ncluster.id=x\ndirectory.id=y\n",
    "version=0\nbroker.id=3\n", "version=0\nbroker.id=3\ncluster.id=c\n",
  ])
  func whatABrokerWroteIsSound(text: String) { #expect(FolderProperties.problem(in: text) == nil) }

  @Test(arguments: [
    ("", "version"), ("version=2\n", "version"), ("version=1\ncluster.id=c\n", "node.id"),
    ("version=1\nnode.id=1\n", "cluster.id"), ("version=1\nnode.id=-1\ncluster.id=c\n", "node.id"),
    ("version=0\nnode.id=1\n", "broker.id"), ("\u{fffd}\u{0}", "version"),
  ])
  func anythingElseHasASentence(text: String, word: String) throws {
    #expect(try #require(FolderProperties.problem(in: text)).contains(word))
  }
}
