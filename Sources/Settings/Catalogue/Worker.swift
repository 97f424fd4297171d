// Background work (HTTP contract, section 4).

extension Catalogue {
    static let worker: [any AnySetting] = [
        Setting.workerSearchJobLeaseSeconds, Setting.workerPollSeconds, Setting.workerBatchSize,
        Setting.workerSearchJobMaxAttempts,
    ]
}

extension Setting where Value == Int {
    package static var workerSearchJobLeaseSeconds: Self {
        Self(
            "worker.searchJobLeaseSeconds", .integer(30...86400), default: 300,
            "How long a worker holds a job before another may take it.")
    }

    package static var workerPollSeconds: Self {
        Self(
            "worker.pollSeconds", .integer(1...3600), default: 5,
            "Time between sweeps; a publish on the same node wakes the worker at once.")
    }

    package static var workerBatchSize: Self {
        Self("worker.batchSize", .integer(1...5000), default: 100, "Jobs taken at a time.")
    }

    package static var workerSearchJobMaxAttempts: Self {
        Self(
            "worker.searchJobMaxAttempts", .integer(1...100), default: 5,
            "Attempts before a job has failed for good and is kept.")
    }
}
