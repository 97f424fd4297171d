// The three spellings, laid over each other. Rules: HTTP contract, section 5.

import Settings
import Testing

@Suite struct LayerTests {
    static let surroundings = Surroundings(isTerminal: false, processors: 2)

    @Test func `the command line wins over the environment`() throws {
        let configuration = try Configuration.read(
            arguments: ["--worker.poll-seconds", "7", "--allow-insecure-http"],
            environment: ["ARTIFORTRESS_WORKER_POLL_SECONDS": "9", "ARTIFORTRESS_WORKER_BATCH_SIZE": "3"],
            surroundings: Self.surroundings)
        #expect(configuration[.workerPollSeconds] == 7)
        #expect(configuration.source(of: .workerPollSeconds) == .flag("--worker.poll-seconds"))
        #expect(configuration[.workerBatchSize] == 3)
        #expect(configuration[.allowInsecureHTTP])
    }
}
