internal import KafkaProtocol
internal import Primitives

/// What other shards have to say.
extension Shard {
  package func deliver(_ message: ShardMessage) {
    switch message {
    case .produce(let produce): takeProduce(produce)
    case .produced(let connection, let sequence, let outcome): produced(connection, sequence, outcome)
    case .partitionTasks(let shard, let token, let tasks): takeTasks(from: shard, token, tasks)
    case .partitionResults(let token, let results):
      for result in results { finishTask(token, result.index, result.outcome) }
    case .fetchWake(let connection, let sequence): fetchWoken(connection, sequence)
    case .connectionGone(let shard, let connection): forgetWatches(from: shard, connection)
    case .request(let shard, let token, let context, let request):
      start(request, context.replying(to: .shard(shard, token)))
    case .response(let token, let response):
      if let address = waitingReplies.removeValue(forKey: token) { reply(address, response) }
    case .controller(let shard, let token, let command, let isPassedOn):
      run(command, isPassedOn: isPassedOn) { [environment] result in
        environment.links.send(.controllerReply(token, result), to: shard)
      }
    case .controllerReply(let token, let result): controllerWaits.removeValue(forKey: token)?(result)
    case .image(let image, let delta, let sequence):
      apply(image, delta, sequence: sequence)
      whenOpened { [unowned self] in
        whenNoGoneLogIsCleaned { [environment, index] in
          environment.links.send(.imageApplied(from: index, sequence: sequence), to: Self.controllerShard)
        }
      }
    case .imageApplied(_, let sequence): imageApplied(sequence)
    case .keep(let shard, let token, let name, let entry):
      keepHere(name, entry) { [environment] isKept in environment.links.send(.kept(token, isKept), to: shard) }
    case .kept(let token, let isKept): keepWaits.removeValue(forKey: token)?(isKept)
    case .checkpoints(let name, let entries): takeCheckpoints(name, entries)
    case .forgetCheckpoints(let partitions, let image): forgetCheckpoints(of: partitions, image: image)
    case .checkpointsForgotten(let image): checkpointsForgotten(upTo: image)
    case .recoveryPointsTold: takeAllRecoveryPoints()
    case .folderFailed(let folder, let cause): takeFailure(of: folder, cause)
    case .folderSpace(let folder, let space): takeSpace(folder, space)
    case .synced: noteSynced()
    }
  }

  /// Hands a whole request to the shard where what it concerns lives; its response comes back to `context.replyTo`.
  func forward(_ request: Request, _ context: RequestContext, to shard: Int) {
    let token = makeToken()
    waitingReplies[token] = context.replyTo
    environment.links.send(.request(from: index, token, context, request), to: shard)
  }
}
