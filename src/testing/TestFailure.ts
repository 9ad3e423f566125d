/**
 * The failure of a test that is not the workflow's outcome, but a fault of the test or of the program.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A fault of the test or of the program under test: nothing happens any more, a strict test found work that no record
 * orders, invocations fail repeatedly, or an execution took longer than it should. It is a defect.
 *
 * @category errors
 * @since 0.1.0
 */
export class TestFailure extends Schema.TaggedError<TestFailure>()("TestFailure", { message: Schema.String }) {}
