// The three spellings, laid over each other. Rules: HTTP contract, section 5.

import Domain
import Settings
import Testing

@Suite struct LayerTests {
    @Test func `environment wins over file, command line over both`() throws {
        let yaml = "worker: {pollSeconds: 2, batchSize: 2, searchJobMaxAttempts: 2}"
        let configuration = try read(
            yaml, ["--worker.poll-seconds", "4"],
            environment: ["ARTIFORTRESS_WORKER_POLL_SECONDS": "3", "ARTIFORTRESS_WORKER_BATCH_SIZE": "3"])
        #expect(configuration[.workerPollSeconds] == 4)
        #expect(configuration.source(of: .workerPollSeconds) == .flag("--worker.poll-seconds"))
        #expect(configuration[.workerBatchSize] == 3)
        #expect(configuration.source(of: .workerBatchSize) == .environment("ARTIFORTRESS_WORKER_BATCH_SIZE"))
        #expect(configuration[.workerSearchJobMaxAttempts] == 2)
        #expect(configuration.source(of: .workerSearchJobMaxAttempts).description.hasSuffix("settings.yaml:1"))
        #expect(configuration[.workerSearchJobLeaseSeconds] == 300)
        #expect(configuration.source(of: .workerSearchJobLeaseSeconds) == .default)
    }

    @Test func `a value that another layer hides must be right all the same`() {
        let line = refusal(nil, ["--worker.poll-seconds=4"], environment: ["ARTIFORTRESS_WORKER_POLL_SECONDS": "x"])
        #expect(
            line == "worker.pollSeconds (ARTIFORTRESS_WORKER_POLL_SECONDS): 'x'; allowed: a whole number, 1..3600")
    }

    @Test func `a variable may name the file, and the flag wins`() throws {
        try withFile("environment: one", named: "one.yaml") { one in
            #expect(try read(environment: ["ARTIFORTRESS_CONFIG": one])[.environment] == "one")
            try withFile("environment: two", named: "two.yaml") { two in
                let both = try read(nil, ["--config", two], environment: ["ARTIFORTRESS_CONFIG": one])
                #expect(both[.environment] == "two")
            }
        }
    }

    @Test(arguments: [
        (
            ["--worker.pol-seconds", "3"],
            "--worker.pol-seconds (command line): no such setting (did you mean --worker.poll-seconds?)"
        ),
        (
            ["--worker.pollSeconds=3"],
            "--worker.pollSeconds (command line): no such setting (did you mean --worker.poll-seconds?)"
        ),
        (["--nonsense-of-mine"], "--nonsense-of-mine (command line): no such setting"),
        (["--listen"], "--listen (command line): has no value"),
        (["listen"], "'listen' (command line): not a flag"),
        (["--"], "'--' (command line): not a flag"),
    ])
    func `a wrong command line is refused`(words: [String], line: String) {
        #expect(refusal(nil, words) == line)
    }

    @Test func `a boolean's flag may stand alone`() throws {
        let configuration = try read(nil, ["--storage.verify-on-read", "--migrate.at-start", "false", "--data", "d"])
        #expect(configuration[.verifyOnRead])
        #expect(!configuration[.migrateAtStart])
        #expect(configuration[.data] == "d")
    }

    @Test(arguments: [
        ("ARTIFORTRESS_DATABASE_POOLSIZE", "ARTIFORTRESS_DATABASE_POOL_SIZE"),
        ("ARTIFORTRESS_LISTN", "ARTIFORTRESS_LISTEN"),
    ])
    func `an unknown variable is refused`(variable: String, meant: String) {
        let line = refusal(environment: [variable: "x"])
        #expect(line?.hasPrefix("\(variable) (environment): no such setting (did you mean \(meant)") == true)
    }

    @Test(arguments: [
        "ARTIFORTRESS_SERVICE_HOST", "ARTIFORTRESS_SERVICE_PORT", "ARTIFORTRESS_SERVICE_PORT_HTTP", "ARTIFORTRESS_PORT",
        "ARTIFORTRESS_PORT_8080_TCP", "ARTIFORTRESS_PORT_8080_TCP_ADDR", "ARTIFORTRESS_POSTGRES_SERVICE_HOST",
        "ARTIFORTRESS_POSTGRES_PORT_5432_TCP_PROTO", "ARTIFORTRESS_TEST_POSTGRES_URL", "OTHER", "artifortress_listen",
    ])
    func `variables of others are let be`(variable: String) {
        #expect(refusal(environment: [variable: "tcp://10.0.0.1:8080"]) == nil)
    }

    @Test func `a variable may name a file that holds the value`() throws {
        for (content, value) in [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("s3cret", "s3cret")] {
            try withFile(content, named: "secret") { path in
                let configuration = try read(environment: ["ARTIFORTRESS_METRICS_TOKEN_FILE": path])
                #expect(configuration[.metricsToken]?.value == value)
                #expect(configuration.source(of: .metricsToken) == .environment("ARTIFORTRESS_METRICS_TOKEN_FILE"))
            }
        }
    }

    @Test func `a file's variable and the plain one exclude each other`() throws {
        try withFile("x", named: "secret") { path in
            let line = refusal(
                environment: ["ARTIFORTRESS_METRICS_TOKEN_FILE": path, "ARTIFORTRESS_METRICS_TOKEN": "x"])
            #expect(
                line
                    == "metrics.token (ARTIFORTRESS_METRICS_TOKEN_FILE): ARTIFORTRESS_METRICS_TOKEN is set too; "
                    + "allowed: one of the two")
        }
    }

    @Test func `a file that can't be read is named`() {
        #expect(
            refusal(environment: ["ARTIFORTRESS_METRICS_TOKEN_FILE": "/nowhere/x"])
                == "metrics.token (ARTIFORTRESS_METRICS_TOKEN_FILE): /nowhere/x can't be read: No such file or directory"
        )
        #expect(
            refusal(nil, ["--config", "/nowhere/x"]) == "config: /nowhere/x can't be read: No such file or directory")
        #expect(refusal(nil, ["--config", "/"])?.hasPrefix("config: / can't be read: ") == true)
    }

    @Test func `every variable and every flag means one key`() {
        let variables = KeyCase.all.map(\.variable)
        let files = variables.map { $0 + "_FILE" }
        #expect(Set(variables + files).count == variables.count + files.count)
        #expect(Set(FlagLayer.declarations.map(\.name)).count == FlagLayer.declarations.count)
        #expect(Set(FlagLayer.declarations.map { "--\($0.name)" }) == Set(KeyCase.all.map(\.flag) + ["--config"]))
    }
}
