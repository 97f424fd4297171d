// libyaml's event parser (yaml.h): one owner of its handle.

import CYAML

@safe struct YAMLEvents: ~Copyable {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd
        case scalar(String, isPlain: Bool)
        case sequenceStart, mappingStart
        /// Of a sequence or a mapping.
        case end
        case alias
    }

    struct Event {
        let kind: Kind
        /// From 1.
        let line: Int
        /// With an anchor or a tag.
        var isDecorated = false
    }

    // The parser points at itself and at its input, so neither may move.
    private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let path: String

    init(_ text: String, path: String) {
        self.path = path
        let bytes = Array(text.utf8)
        unsafe self.input = .allocate(capacity: bytes.count)
        _ = unsafe self.input.initialize(from: bytes)
        let isReady = unsafe yaml_parser_initialize(self.parser)
        precondition(isReady == 1, "no memory for a YAML parser")
        unsafe yaml_parser_set_encoding(self.parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(self.parser, self.input.baseAddress, bytes.count)
    }

    deinit {
        unsafe yaml_parser_delete(self.parser)
        unsafe self.parser.deallocate()
        unsafe self.input.deallocate()
    }

    /// - Throws: `PATH:LINE: …` where the text is no YAML.
    mutating func next() throws(YAMLFault) -> Event {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(self.parser, &event) == 1 else {
            let line = unsafe self.parser.pointee.problem_mark.line + 1
            let problem = unsafe self.parser.pointee.problem.map { unsafe String(cString: $0) } ?? "unreadable"
            throw YAMLFault("\(self.path):\(line): not YAML: \(problem)")
        }
        defer { unsafe yaml_event_delete(&event) }
        let line = unsafe Int(event.start_mark.line) + 1
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: return Event(kind: .streamStart, line: line)
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return Event(kind: .streamEnd, line: line)
        case YAML_DOCUMENT_START_EVENT: return Event(kind: .documentStart, line: line)
        case YAML_DOCUMENT_END_EVENT: return Event(kind: .documentEnd, line: line)
        case YAML_ALIAS_EVENT: return Event(kind: .alias, line: line)
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.data.sequence_start
            return unsafe Event(kind: .sequenceStart, line: line, isDecorated: start.anchor != nil || start.tag != nil)
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.data.mapping_start
            return unsafe Event(kind: .mappingStart, line: line, isDecorated: start.anchor != nil || start.tag != nil)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return Event(kind: .end, line: line)
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let text = unsafe String(decoding: bytes, as: UTF8.self)
            let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
            return unsafe Event(
                kind: .scalar(text, isPlain: isPlain), line: line,
                isDecorated: scalar.anchor != nil || scalar.tag != nil)
        default: throw YAMLFault("\(self.path):\(line): not YAML: an event of an unknown kind")
        }
    }
}
