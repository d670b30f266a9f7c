// swift-tools-version: 6.2
import PackageDescription

/// What every target is built with: Swift 6 mode, the upcoming features of the style page, warnings as errors.
let common: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]
/// Pure modules hold no pointers, and the compiler shows it.
let pure: [SwiftSetting] = common + [.strictMemorySafety()]

/// For what the long tests spend their time in: with BUDKAVLE_OPTIMIZED_TESTS in the environment, as `Tests/run` sets it, it is
/// optimised in debug builds too.
let optimized: [SwiftSetting] =
    Context.environment["BUDKAVLE_OPTIMIZED_TESTS"] == nil
    ? [] : [.unsafeFlags(["-O"], .when(configuration: .debug))]

let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "budkavle",
    products: [
        .library(name: "BudkavleClient", targets: ["BudkavleClient"]),
        .executable(name: "budkavled", targets: ["budkavled"]),
        .executable(name: "budkavle", targets: ["budkavle"]),
        .executable(name: "budkavle-bench", targets: ["budkavle-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "EventLoop", dependencies: ["CLinux"], swiftSettings: common),
        .target(name: "TLSStreams", dependencies: ["EventLoop", "COpenSSL"], swiftSettings: common),
        .target(name: "STOMP", dependencies: [deque], swiftSettings: pure + optimized),
        .target(name: "CaseNotifications", dependencies: [crypto], swiftSettings: pure + optimized),
        .target(name: "Settings", dependencies: [yams], swiftSettings: common),
        .target(
            name: "Routing", dependencies: ["CaseNotifications", "Settings"], swiftSettings: pure),
        .target(
            name: "Journal", dependencies: ["CLinux", deque, crypto],
            swiftSettings: common + optimized),
        .target(
            name: "Relay", dependencies: ["CaseNotifications", "Routing", deque, heap], swiftSettings: pure + optimized),
        .target(
            name: "BudkavleServer",
            dependencies: [
                "CLinux", "EventLoop", "TLSStreams", "STOMP", "CaseNotifications", "Settings", "Routing", "Journal",
                "Relay", deque, crypto, logging,
            ], swiftSettings: common),
        .target(
            name: "BudkavleClient",
            dependencies: ["TLSStreams", "EventLoop", "STOMP", "CaseNotifications", crypto],
            swiftSettings: common),
        .target(name: "Console", dependencies: ["CaseNotifications", "Routing"], swiftSettings: pure),
        .target(
            name: "Demo",
            dependencies: [
                "BudkavleClient", "Console", "Settings", "Routing", x509, crypto,
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ], swiftSettings: common),
        .executableTarget(
            name: "budkavled",
            dependencies: ["BudkavleServer", "BudkavleClient", "Console", "Settings", "Routing", arguments, logging],
            swiftSettings: common),
        .executableTarget(
            name: "budkavle",
            dependencies: [
                "Demo", "BudkavleClient", "Console", "Settings", "Routing", "budkavled", arguments,
            ], swiftSettings: common),
        .executableTarget(
            name: "budkavle-bench",
            dependencies: [
                "CLinux", "EventLoop", "TLSStreams", "STOMP", "CaseNotifications", "Settings", "Routing", "Journal",
                "Relay", "BudkavleServer", "BudkavleClient", "Demo", "budkavled", arguments, histogram,
            ], swiftSettings: common),
        .target(
            name: "TestSupport", dependencies: ["EventLoop", "TLSStreams", "Journal"], path: "Tests/TestSupport",
            swiftSettings: common + optimized),
        .testTarget(
            name: "EventLoopTests", dependencies: ["EventLoop", "CLinux", "TestSupport"], swiftSettings: common),
        .testTarget(
            name: "TLSStreamsTests", dependencies: ["EventLoop", "TLSStreams", "TestSupport"], swiftSettings: common),
        .testTarget(
            name: "STOMPTests", dependencies: ["STOMP"], resources: [.copy("Vectors")], swiftSettings: common),
        .testTarget(
            name: "CaseNotificationsTests", dependencies: ["CaseNotifications", crypto], resources: [.copy("Vectors")],
            swiftSettings: common),
        .testTarget(name: "SettingsTests", dependencies: ["Settings"], swiftSettings: common),
        .testTarget(
            name: "RoutingTests", dependencies: ["Routing", "Settings", "CaseNotifications"], swiftSettings: common),
        .testTarget(
            name: "JournalTests", dependencies: ["Journal", "TestSupport", crypto],
            resources: [.copy("Vectors")], swiftSettings: common),
        .testTarget(
            name: "RelayTests", dependencies: ["Relay", "Routing", "CaseNotifications", "Settings"],
            resources: [.copy("Vectors")], swiftSettings: common),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["Relay", "Routing", "CaseNotifications", "STOMP", "Journal", "TestSupport"],
            exclude: ["seeds.txt"], swiftSettings: common + optimized),
        .testTarget(
            name: "BudkavleServerTests",
            dependencies: [
                "BudkavleServer", "CaseNotifications", "Settings", "Journal", "TLSStreams", "EventLoop", "STOMP",
                "Routing", "Relay", "TestSupport",
            ],
            swiftSettings: common),
        .testTarget(
            name: "ConsoleTests", dependencies: ["Console", "CaseNotifications", "Routing", "Settings"],
            swiftSettings: common),
        .testTarget(
            name: "BudkavleClientTests",
            dependencies: ["BudkavleClient", "STOMP", "EventLoop", "TLSStreams", "CaseNotifications", "TestSupport"],
            swiftSettings: common),
        .testTarget(name: "DemoTests", dependencies: ["Demo"], swiftSettings: common),
        .testTarget(name: "ShapeTests", swiftSettings: common),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["Demo", "BudkavleClient", "STOMP", "CaseNotifications", "budkavled", "budkavle"],
            resources: [.copy("Scripts")], swiftSettings: common),
    ]
)
