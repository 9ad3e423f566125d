/**
 * What a test is told when the fault is not the workflow's outcome but the test, or the program, itself.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A fault of the test or of the program under test that a test must see: nothing happens any more, a strict test found what
 * no record orders, invocations fail again and again, or an execution took longer than it should. It is a defect.
 *
 * @category errors
 * @since 0.1.0
 */
export class TestFailure extends Schema.TaggedError<TestFailure>()("TestFailure", { message: Schema.String }) {}
