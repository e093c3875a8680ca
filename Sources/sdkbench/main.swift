// sdkbench: the loops of Benchmarks/rdkafka_bench.c, through the Swift SDK.
//   sdkbench produce|consume|batches|slow ADDRESS TOPIC PARTITIONS RECORDS RECORD_BYTES
// Prints one JSON object. `slow` reads with pauses, and tells by how much the process has grown meanwhile.

await Bench.main()
