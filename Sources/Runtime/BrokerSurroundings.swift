package import Effects

/// What surrounds a broker: the machine's own clocks, randomness and files, or what somebody has put in their place.
package struct BrokerSurroundings: Sendable {
  package var time: any TimeSource & Sendable
  package var random: any RandomSource & Sendable
  package var fileSystem: any FileSystem
  /// Whether the data folders are the kernel's, where another process may find them: they are locked then.
  package var hasKernelFolders: Bool
  /// Cuts connections where somebody wants that; nil for a network that nobody cuts.
  package var network: NetworkSwitch?

  /// The machine.
  package init() {
    time = LinuxClock()
    random = LinuxRandom()
    fileSystem = LinuxFileSystem()
    hasKernelFolders = true
  }
}
