import CaseNotifications
import Foundation
import Testing

@testable import BudkavleServer

@Suite struct DataModeTests {
    private let directory = FileManager.default.temporaryDirectory.appending(
        path: "budkavle-mode-\(UUID().uuidString)")
    private var file: URL { directory.appending(path: "mode") }

    init() throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    private func refusal(_ mode: Mode, in directory: URL) -> StartError? {
        do throws(StartError) {
            try DataMode.check(mode, in: directory.path)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a new directory keeps the mode of its first daemon and refuses the other`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        #expect(refusal(.exercise, in: directory) == nil)
        #expect(try String(contentsOf: file, encoding: .utf8) == "exercise\n")
        #expect(refusal(.exercise, in: directory) == nil)
        let told = try #require(refusal(.production, in: directory))
        #expect(told.status == .configuration)
        #expect(told.description.contains("was born in exercise mode"))
        #expect(try String(contentsOf: file, encoding: .utf8) == "exercise\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["mode"])
    }

    @Test func `a mode that is there and cannot be read is not written over`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
        let told = try #require(refusal(.exercise, in: directory))
        #expect(told.status == .configuration)
        #expect(told.description == "\(file.path) cannot be read")
        var isDirectory: ObjCBool = false
        #expect(FileManager.default.fileExists(atPath: file.path, isDirectory: &isDirectory) && isDirectory.boolValue)
    }

    @Test func `a mode that cannot be written ends the start as an input or output error`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let told = try #require(refusal(.exercise, in: directory.appending(path: "missing")))
        #expect(told.status == .inputOutput)
        #expect(told.description.hasSuffix("/missing/mode cannot be written: No such file or directory"))
    }
}
