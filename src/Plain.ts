/**
 * The rule by which types decide what can be recorded without a Schema, and which options an operation needs otherwise.
 *
 * Plain data is data that JSON reproduces unchanged: strings, numbers, booleans, null, and arrays, tuples and records of
 * them. It includes `undefined` and `void`, for which nothing is written, or a mark in an array, and a `BatchResult` of
 * such values and items whose errors are the library's own. Every other type (dates, maps, class instances, functions,
 * `any`, `unknown`, a type parameter) would change in a checkpoint, so it does not compile without a Schema.
 *
 * This module contains types only. {@link RecordOptions} and its companions apply the rule to operations; the
 * declarations of helpers that are generic in values, errors or services name them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { BatchResult } from "./BatchResult.ts"
import type { EffectError, OperationError } from "./DurableError.ts"
import type * as Serdes from "./Serdes.ts"

declare const NotPlainId: unique symbol

/**
 * The type that {@link Plain} puts in the place of a type that is not plain data. No value has this type.
 *
 * @category models
 * @since 0.1.0
 */
export interface NotPlain<Why extends string> {
  readonly [NotPlainId]: Why
}

/**
 * `A`, with a {@link NotPlain} in the place of each part that is not plain data.
 *
 * The compiler checks fields one level at a time, so that recursive types end.
 *
 * @category type rules
 * @since 0.1.0
 */
export type Plain<A> =
  IsAny<A> extends true
    ? never // The one type to which `any` cannot be assigned.
    : A extends Primitive
      ? A
      : A extends Callable
        ? NotPlain<"a function">
        : A extends ReadonlyArray<unknown>
          ? PlainArray<A>
          : A extends object
            ? A extends BatchResult<infer Value, infer E, infer Item>
              ? PlainBatch<A, Value, E, Item>
              : PlainRecord<A>
            : NotPlain<"unknown, a symbol, a bigint or a type parameter">

/**
 * `true` if `A` and all its parts are plain data, otherwise `false`.
 *
 * @category type rules
 * @since 0.1.0
 */
export type IsPlain<A> = IsAny<A> extends true ? false : [A] extends [Plain<A>] ? true : false

type IsAny<A> = 0 extends 1 & A ? true : false

type Primitive = string | number | boolean | null | undefined | void

type Callable = ((...args: never) => unknown) | (abstract new (...args: never) => unknown)

/** The key of `Brand`, a field that exists in types only. */
type BrandKey = "~effect/Brand"

type PlainRecord<A> = [keyof A] extends [never]
  ? NotPlain<"an object of unknown fields">
  : { [K in keyof A]: A[K] } extends A
    ? { [K in keyof A]: K extends BrandKey ? A[K] : K extends symbol ? NotPlain<"a symbol as key"> : Plain<A[K]> }
    : NotPlain<"a class with private members">

/** The elements of an array as a record. A mapped array would be computed at once, and without end for a recursive type. */
type PlainArray<A extends ReadonlyArray<unknown>> = {
  [K in keyof A as K extends ArrayMember ? never : K]: K extends number | `${number}`
    ? Plain<A[K]>
    : K extends BrandKey
      ? A[K]
      : NotPlain<"an array with fields">
}

/** A batch is recorded as a whole. `Item` is `unknown` for a batch without items, which is accepted. */
type PlainBatch<A, Value, E, Item> =
  IsPlain<Value> extends true
    ? [Declared<E>] extends [never]
      ? unknown extends Item
        ? A
        : IsPlain<Item> extends true
          ? A
          : NotPlain<"the items of a batch">
      : NotPlain<"the errors of a batch">
    : NotPlain<"the values of a batch">

type ArrayMember = Exclude<keyof Array<unknown>, number>

// --- Operations ------------------------------------------------------------------------------------------------------

/**
 * The options for recording the value and the errors of an operation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recording<A> {
  /**
   * The Schema of the value of a step or a block, of each branch or item of a batch, or of the winner of a race. The
   * compiler requires it when the value is not plain data. Default: plain data, as JSON.
   */
  readonly success?: Schema.Top
  /**
   * The Schema of the errors. The compiler requires it for your own errors. The library's errors, such as
   * `InvokeFailed`, need none; for Effect's own errors use `DurableError.EffectError`. Default: only the library's own
   * errors.
   */
  readonly error?: Schema.Top
  /** A `Serdes.Codec` that writes and reads the value in place of `success`. Default: the format of the layer. */
  readonly successSerdes?: {
    readonly serialize: (value: A, info: Serdes.Info) => unknown
    readonly deserialize: (text: string | undefined, info: Serdes.Info) => unknown
  }
  /** Distinguishes this type from the types of arguments, none of which has this key. */
  readonly [NotInferredId]?: never
}

declare const NotInferredId: unique symbol

/**
 * The constraint of the rest arguments of an operation that records a value `A` and errors `E`: at most one object, with
 * the options of {@link Recording} and the operation's `Own` options.
 *
 * The operation infers its arguments `O`, so that it knows which Schemas the call contains, and adds {@link Recordable}.
 * It needs the defaults in the example: the compiler checks calls such as `Effect.map(a, f)` in a second pass, and uses
 * the defaults in the first one.
 *
 * @example
 * ```ts
 * import type * as Effect from "effect/Effect"
 * import type { FromArguments, Recordable, RecordedError, RecordedValue, RecordOptions, RecordServices } from "./Plain.ts"
 *
 * interface Own {
 *   readonly flat?: boolean
 * }
 *
 * declare const child: <A = never, E = never, R = never, O extends RecordOptions<A, Own> = Required<RecordOptions<A, Own>>>(
 *   name: string,
 *   body: Effect.Effect<A, E, R>,
 *   ...options: O & Recordable<A, E, O, Own>
 * ) => Effect.Effect<RecordedValue<A, O>, RecordedError<E, O>, FromArguments<R> | RecordServices<O>>
 * ```
 *
 * @category type rules
 * @since 0.1.0
 */
export type RecordOptions<A, Own = unknown> = readonly [options?: (Recording<A> & Own) | undefined]

/**
 * `unknown` when the arguments `O` contain everything that is needed to record `A` and `E`. Otherwise an object whose key
 * is a sentence about what is missing, which the compiler quotes. `Key` is the name of the option for the Schema of the
 * value.
 *
 * @category type rules
 * @since 0.1.0
 */
export type Recordable<A, E, O, Own = unknown, Key extends string = "success"> = O extends
  | readonly []
  | readonly [unknown]
  ? IsInferred<O> extends false
    ? unknown
    : RecordableValue<A, OptionsOf<O>, Key> &
        RecordableError<E, OptionsOf<O>> &
        KnownOptions<OptionsOf<O>, Recording<A> & Own>
  : unknown

/**
 * The part of {@link Recordable} for the value, with the options `Opt`.
 *
 * @category type rules
 * @since 0.1.0
 */
// Before it checks a function argument, the compiler checks the other arguments for a value of type `never`. A check in
// brackets applies to every object that the options may be, for instance those of `isSlow ? { retry } : undefined`.
export type RecordableValue<A, Opt, Key extends string> = [Opt] extends [{ readonly successSerdes: infer Codec }]
  ? [A] extends [never]
    ? unknown
    : [Codec] extends [SerdesFor<A>]
      ? unknown
      : {
          readonly [Message in `the ${Key}Serdes is no Serdes.Codec of the value`]: {
            readonly value: A
            readonly codec: Codec
          }
        }
  : [Opt] extends [{ readonly success: infer S extends Typed }]
    ? [A] extends [S["Type"]]
      ? unknown
      : { readonly "the success schema does not fit the value": { readonly value: A; readonly schema: S["Type"] } }
    : IsPlain<A> extends true
      ? unknown
      : { readonly [Where in NotPlainAt<A, Key>]: A }

interface SerdesFor<A> {
  readonly serialize: (value: A, info: Serdes.Info) => Effect.Effect<string | undefined, Serdes.SerdesError, unknown>
  readonly deserialize: (text: string | undefined, info: Serdes.Info) => Effect.Effect<A, Serdes.SerdesError, unknown>
}

/**
 * The part of {@link Recordable} for the errors, with the options `Opt`.
 *
 * @category type rules
 * @since 0.1.0
 */
// A type parameter fits its own Schema only as a whole: the compiler cannot tell what remains of it without the library's
// errors.
export type RecordableError<E, Opt> = [Opt] extends [{ readonly error: infer S extends Typed }]
  ? [E] extends [S["Type"] | OperationError]
    ? unknown
    : {
        readonly "the error schema does not fit the error": {
          readonly error: Declared<E>
          readonly schema: S["Type"]
        }
      }
  : [Declared<E>] extends [never]
    ? unknown
    : [Declared<E>] extends [EffectError]
      ? { readonly "an error of Effect is recorded through its schema: give { error: DurableError.EffectError }": E }
      : { readonly "an error is recorded through its schema: give { error: Schema }": Declared<E> }

/**
 * The part of a Schema that these types use. They infer the whole Schema and look up its parts, because the parts of a
 * type parameter can be looked up, but not inferred.
 */
interface Typed {
  readonly Type: unknown
}

/**
 * `unknown` when `Options` has no fields other than those of `Known`. Inferred arguments may have any fields: without
 * this type, a misspelt option would be ignored.
 *
 * @category type rules
 * @since 0.1.0
 */
type KnownOptions<Options, Known> = [Exclude<KeyOf<Options>, keyof Known>] extends [never]
  ? unknown
  : { readonly [Key in Exclude<KeyOf<Options>, keyof Known> & string as `there is no option "${Key}" here`]: never }

/**
 * `Checked`, if the options at the end of the arguments `O` have only fields of `Known`. Otherwise a tuple in which each
 * other field has a sentence as its type, so that the compiler reports that field alone. `Lead` contains the arguments
 * before the options.
 *
 * @category type rules
 * @since 0.1.0
 */
export type KnownArguments<
  O,
  Known,
  Checked extends ReadonlyArray<unknown>,
  Lead extends ReadonlyArray<unknown> = readonly []
> = O extends readonly [...Lead, infer Options]
  ? [Exclude<KeyOf<Options>, keyof Known>] extends [never]
    ? Checked
    : readonly [
        ...Lead,
        options: {
          [Key in keyof Options]: Key extends keyof Known
            ? Options[Key]
            : NoOption<`there is no option "${Key & string}" here`>
        }
      ]
  : Checked

/**
 * The rest arguments of an operation that records a value `A` and errors `E`: `O`, checked by {@link Recordable}, or with
 * an explanation at an option that does not exist.
 *
 * @category type rules
 * @since 0.1.0
 */
export type RecordArguments<A, E, O extends ReadonlyArray<unknown>, Own = unknown> = KnownArguments<
  O,
  Recording<A> & Own,
  O & Recordable<A, E, O, Own>
>

/**
 * The counterpart of {@link KnownArguments} for one optional object of options.
 *
 * @category type rules
 * @since 0.1.0
 */
export type NoOtherOptions<Options, Known> = {
  readonly [Key in Exclude<keyof Options, keyof Known>]?: NoOption<`there is no option "${Key & string}" here`>
}

declare const NoOptionId: unique symbol

/** The type of an option that does not exist. No value has this type. */
interface NoOption<Why extends string> {
  readonly [NoOptionId]: Why
}

type NotPlainAt<A, Key extends string> = NotPlainThere<
  [WherePlainEnds<A>] extends [never] ? "value" : WherePlainEnds<A>,
  Key
>

type NotPlainThere<Where extends string, Key extends string> = Where extends `the batch ${infer At}`
  ? `${At} is a BatchResult of what is not plain data: give { ${Key}: Schema }, made with BatchResult.Schema`
  : `${Where} is not plain data: give { ${Key}: Schema }`

/** The path of every part that is not plain, at most four fields deep, for the message. */
type WherePlainEnds<A, Path extends string = "value", Depth extends ReadonlyArray<unknown> = []> =
  IsPlain<A> extends true
    ? never
    : IsAny<A> extends true
      ? Path
      : A extends Primitive
        ? never
        : Depth["length"] extends 4
          ? Path
          : A extends BatchResult<unknown, unknown>
            ? `the batch ${Path}`
            : A extends ReadonlyArray<infer Element>
              ? WherePlainEnds<Element, `${Path}[]`, [...Depth, 0]>
              : HasOwnProblem<A> extends true
                ? Path
                : { [K in FieldOf<A>]: WherePlainEnds<A[K], `${Path}.${FieldName<K>}`, [...Depth, 0]> }[FieldOf<A>]

type FieldOf<A> = keyof A & (string | number)

type FieldName<K extends string | number> = string extends K ? "*" : number extends K ? "*" : K

/** `true` if the object as a whole is not plain data: a class, a function, an object of unknown fields. */
type HasOwnProblem<A> = [A] extends [object]
  ? PlainRecord<A> extends NotPlain<string>
    ? true
    : [Extract<A[keyof A], Callable>] extends [never]
      ? [keyof A & symbol] extends [never]
        ? false
        : true
      : true
  : true

/**
 * The value that an operation returns. With a success Schema it has the Schema's type, because only what the Schema
 * describes is recorded.
 *
 * @category type rules
 * @since 0.1.0
 */
export type RecordedValue<A, O> = ValueBy<A, OptionsOf<O>>

type ValueBy<A, Opt> = Opt extends { readonly successSerdes: object }
  ? FromArguments<A>
  : Opt extends { readonly success: infer S extends Typed }
    ? S["Type"]
    : FromArguments<A> | SchemaIn<Opt, "success">["Type"]

/**
 * The errors of an operation: the members of the error Schema with which its body fails, and the library's own operation
 * errors.
 *
 * @category type rules
 * @since 0.1.0
 */
export type RecordedError<E, O> =
  OptionsOf<O> extends { readonly error: infer S extends Typed }
    ? FromArguments<LibraryError<E>> | DeclaredError<E, S["Type"]>
    : FromArguments<E>

/**
 * `T` in the return type of an operation, hidden from inference, so that the compiler infers it from the arguments alone.
 * Otherwise, for a call like `Effect.all([operation])`, which takes `Effect<any, any, any>`, the compiler would check the
 * arguments for `any`.
 *
 * @category type rules
 * @since 0.1.0
 */
export type FromArguments<T> = [T] extends [infer U extends T] ? U : never

/**
 * The services that the Schemas and the codec of an operation require.
 *
 * @category type rules
 * @since 0.1.0
 */
export type RecordServices<O> =
  | SchemaServices<OptionsOf<O>, "success">
  | SchemaServices<OptionsOf<O>, "error">
  | SerdesServices<OptionsOf<O>>

type SchemaServices<Opt, Key extends string> =
  | SchemaIn<Opt, Key>["DecodingServices"]
  | SchemaIn<Opt, Key>["EncodingServices"]

interface Coded extends Typed {
  readonly DecodingServices: unknown
  readonly EncodingServices: unknown
}

type SerdesServices<Opt> = Opt extends {
  readonly successSerdes: { readonly deserialize: (...args: never) => Effect.Effect<unknown, unknown, infer R> }
}
  ? R
  : never

/** The options object, or undefined when there is none. It is a union when the call may have one of several. */
type OptionsOf<O> = IsInferred<O> extends true ? (O extends readonly [infer Opt] ? Opt : undefined) : undefined

/** Whether the compiler has inferred the arguments. In its first pass they are the default of their type parameter. */
type IsInferred<O> = O extends readonly [infer Opt] ? (typeof NotInferredId extends KeyOf<Opt> ? false : true) : true

/** The keys of all members of a union. */
type KeyOf<T> = T extends unknown ? keyof T : never

/**
 * The type of an option in the arguments `O`. It includes `undefined` if the option may be missing.
 *
 * @category type rules
 * @since 0.1.0
 */
export type OptionOf<O, Key extends string> = ValueIn<OptionsOf<O>, Key>

type ValueIn<Opt, Key extends string> = Opt extends unknown ? (Key extends keyof Opt ? Opt[Key] : undefined) : never

/**
 * The Schema under a key of the options `Opt`, also if the key is optional.
 *
 * @category type rules
 * @since 0.1.0
 */
export type SchemaIn<Opt, Key extends string> = Opt extends unknown
  ? Key extends keyof Opt
    ? Opt extends { readonly [K in Key]?: (infer S extends Coded) | undefined }
      ? S
      : never
    : never
  : never

type Declared<E> = Exclude<E, OperationError>

/**
 * The members of `E` that are the library's own operation errors.
 *
 * @category type rules
 * @since 0.1.0
 */
export type LibraryError<E> = E extends OperationError ? E : never

/**
 * The members of `Type`, the type of an error Schema, to which a member of `E` belongs.
 *
 * @category type rules
 * @since 0.1.0
 */
export type DeclaredError<E, Type> = Type extends unknown
  ? [Extract<Declared<E>, Type>] extends [never]
    ? never
    : Type
  : never
