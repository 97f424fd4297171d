// Verbs, flags, help and exit codes. Rules: issue A, point 8.

import Commands
import Testing

@Suite struct ProgramTests {
    let recorder = Recorder()

    @Test func `flags and arguments come in any order`() async {
        #expect(await self.recorder.run("echo", "a", "--times", "2", "b", "--loud", "--output=json", "c") == .success)
        #expect(self.recorder.printed == "times=2\nloud\njson\na+b+c")
        #expect(self.recorder.complaints.isEmpty)
    }

    @Test func `of a repeated flag the last holds`() async {
        #expect(await self.recorder.run("echo", "--times=1", "--times=3", "a") == .success)
        #expect(self.recorder.printed == "times=3\na")
    }

    @Test func `two dashes end the flags`() async {
        #expect(await self.recorder.run("echo", "--", "--times", "-") == .success)
        #expect(self.recorder.printed == "--times+-")
    }

    @Test func `a switch may be told true or false`() async {
        #expect(await self.recorder.run("echo", "--loud", "false", "--loud=true", "--loud", "false", "x") == .success)
        #expect(self.recorder.printed == "x")
    }

    @Test(arguments: [
        (
            ["echo", "a", "--tims", "2"],
            "prog echo: no such flag: --tims (did you mean --times?); see 'prog echo --help'"
        ),
        (["echo", "a", "--times"], "prog echo: --times has no value; see 'prog echo --help'"),
        (
            ["echo", "a", "--times", "4"],
            "prog echo: --times: '4'; allowed: a whole number, 1..3; see 'prog echo --help'"
        ),
        (
            ["echo", "a", "--times", "x"],
            "prog echo: --times: 'x'; allowed: a whole number, 1..3; see 'prog echo --help'"
        ),
        (["echo", "a", "--loud=maybe"], "prog echo: --loud: 'maybe'; allowed: true, false; see 'prog echo --help'"),
        (["echo", "a", "--output", "xml"], "prog echo: --output: 'xml'; allowed: text, json; see 'prog echo --help'"),
        (["echo", "a", "-x"], "prog echo: no such flag: -x; see 'prog echo --help'"),
        (["echo"], "prog echo: FIRST is missing; see 'prog echo --help'"),
        (["group", "fail", "what"], "prog group fail: unexpected argument 'what'; see 'prog group fail --help'"),
        (["group", "fail"], "prog group fail: --token is required; see 'prog group fail --help'"),
        (["group", "fial"], "prog group: no such verb: 'fial' (did you mean fail?); see 'prog group --help'"),
        (["nothing-like-it"], "prog: no such verb: 'nothing-like-it'; see 'prog --help'"),
        (["--times", "echo"], "prog: '--times' stands before the verb; see 'prog --help'"),
    ])
    func `a wrong command line is one line and exit code 2`(words: [String], complaint: String) async {
        #expect(await self.recorder.run(words) == .usage)
        #expect(self.recorder.complaints == complaint)
        #expect(self.recorder.printed.isEmpty)
    }

    @Test func `what a verb throws is one line and exit code 1`() async {
        #expect(await self.recorder.run("group", "fail", "--token", "t") == .failure)
        #expect(self.recorder.complaints == "prog group fail: first line second line")
    }

    @Test func `a verb that has complained itself adds no line`() async {
        #expect(await self.recorder.run("group", "quiet") == .failure)
        #expect(self.recorder.complaints.isEmpty)
    }

    @Test(arguments: [[], ["group"]])
    func `no verb shows the help as a complaint`(words: [String]) async {
        #expect(await self.recorder.run(words) == .usage)
        #expect(self.recorder.complaints.contains("Verbs:"))
    }

    @Test(arguments: [
        (["--help"], ["A program.", "Usage: prog VERB", "echo", "Says it again.", "group"]),
        (["help"], ["Usage: prog VERB"]),
        (["group", "-h"], ["A group.", "Usage: prog group VERB", "fail", "quiet"]),
        (["help", "group", "fail"], ["Fails.", "Usage: prog group fail [--flag VALUE]...", "--token T", "A token."]),
        (
            ["echo", "--help"],
            [
                "Says it again.", "Loudly.", "Usage: prog echo [--flag VALUE]... FIRST [MORE]...", "Arguments:",
                "The first word.", "Flags:", "--times N", "How often.", "Settings:", "--log.level LEVEL",
            ]
        ),
        (["echo", "a", "--help"], ["Usage: prog echo"]),
    ])
    func `every verb has help`(words: [String], parts: [String]) async {
        #expect(await self.recorder.run(words) == .success)
        for part in parts { #expect(self.recorder.printed.contains(part)) }
        #expect(self.recorder.complaints.isEmpty)
    }
}
