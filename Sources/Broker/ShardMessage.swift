package import Cluster
package import Effects
package import KafkaProtocol
package import Primitives
package import Storage

/// What shards tell each other. Messages between two shards arrive in the order sent.
package enum ShardMessage: Sendable {
  /// A produce request for one partition of the receiver's; answered by `produced`.
  case produce(RemoteProduce)
  case produced(ConnectionID, UInt64, PartitionTask.ProduceOutcome)
  /// Work on partitions that the receiver owns; answered by `partitionResults` with the same token.
  case partitionTasks(from: Int, RequestToken, [PartitionTask])
  case partitionResults(RequestToken, [PartitionTask.Result])
  /// A partition of the receiver's that fetches wait on has grown.
  case fetchWake(ConnectionID, sequence: UInt64)
  /// The connection is gone: its fetches wait no more.
  case connectionGone(from: Int, ConnectionID)
  /// A whole request, for the coordinator or the controller that lives there; answered by `response`.
  case request(from: Int, RequestToken, RequestContext, Request)
  case response(RequestToken, Response)
  /// A command for the controller; answered by `controllerReply`.
  case controller(from: Int, RequestToken, ControllerCommand, isPassedOn: Bool)
  case controllerReply(RequestToken, Result<ControllerReply, KafkaError>)
  /// The cluster has changed: apply, then say `imageApplied`.
  case image(ClusterImage, ClusterDelta, sequence: UInt64)
  case imageApplied(from: Int, sequence: UInt64)
  /// An offset that must be written down before anything follows from it: for the keeper of the checkpoint files.
  /// Answered by `kept` with the same token.
  case keep(from: Int, RequestToken, OffsetCheckpoint.Name, CheckpointEntry)
  /// It has been written down, or could not be.
  case kept(RequestToken, Bool)
  /// Up to where logs are on the disk, or clean: for the same.
  case checkpoints(OffsetCheckpoint.Name, [CheckpointEntry])
  /// By that image these partitions have gone from the sender, or were never its own: the files are to forget them, and
  /// `checkpointsForgotten` says when they have.
  case forgetCheckpoints([TopicPartition], image: UInt64)
  /// All shards have let go what went by that image or one before, and the checkpoint files speak of it no more.
  case checkpointsForgotten(upTo: UInt64)
  /// The recovery points of all logs that the sender has found have been told: for the same.
  case recoveryPointsTold
  /// A write or a sync of a data folder failed.
  case folderFailed(Int, IOError)
  case folderSpace(Int, DiskSpace)
  /// After an unclean stop: what the logs hold has been brought to the disk.
  case synced
}
