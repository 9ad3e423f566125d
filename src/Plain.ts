/**
 * The rule by which types decide what may be recorded without a Schema, and which options an operation needs otherwise.
 *
 * Plain data is what JSON gives back as it was: strings, numbers, booleans, null, and arrays, tuples and records of them;
 * `undefined` and `void` too, for which nothing is written, or a mark in an array; and a `BatchResult` of such values and items,
 * whose errors are the library's own. Everything else (dates, maps, class instances, functions, `any`,
 * `unknown`, a type parameter) would come back from a checkpoint as something else, so it does not compile without a
 * Schema. This module exists in types only. {@link RecordOptions} and its companions apply the rule to operations; the
 * declarations of a helper that is generic in values, errors or services name them.
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
 * What {@link Plain} has in the place of a type that is not plain data. No value is of this type.
 *
 * @category models
 * @since 0.1.0
 */
export interface NotPlain<Why extends string> {
  readonly [NotPlainId]: Why
}

/**
 * `A` as far as it is plain data, with a {@link NotPlain} in the place of each part that is not.
 *
 * Fields are looked at one level at a time, so that recursive types end.
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
 * Whether `A` is plain data through and through.
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

/** Only the elements of an array, as a record: a mapped array would be computed at once, and for ever when it recurs. */
type PlainArray<A extends ReadonlyArray<unknown>> = {
  [K in keyof A as K extends ArrayMember ? never : K]: K extends number | `${number}`
    ? Plain<A[K]>
    : K extends BrandKey
      ? A[K]
      : NotPlain<"an array with fields">
}

/** The result of a batch is written whole. Nothing is known of the items of one that has none. */
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
 * The options that say how an operation records its value and its errors.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recording<A> {
  /**
   * The Schema of the value: of a step or a block, of one branch or item of a batch, of the winner of a race. The compiler asks
   * for it when the value is not plain data. Default: plain data, as JSON.
   */
  readonly success?: Schema.Top
  /**
   * The Schema of the errors. The compiler asks for it when there are errors of your own; those of the library, such as
   * `InvokeFailed`, need none, and `DurableError.EffectError` is that of Effect's own. Default: none but the library's own.
   */
  readonly error?: Schema.Top
  /** A `Serdes.Codec` that writes and reads the value in place of `success`. Default: the format of the layer. */
  readonly successSerdes?: {
    readonly serialize: (value: A, info: Serdes.Info) => unknown
    readonly deserialize: (text: string | undefined, info: Serdes.Info) => unknown
  }
  /** Tells this type from the types of arguments: none has it. */
  readonly [NotInferredId]?: never
}

declare const NotInferredId: unique symbol

/**
 * The constraint of the rest arguments of an operation that records a value `A` and errors `E`: at most one object, of
 * {@link Recording} and the operation's own options.
 *
 * The operation infers its arguments, `O`, so that it knows which Schemas it was given, and adds {@link Recordable}.
 * The defaults in the example are needed: the compiler looks at calls like `Effect.map(a, f)` in a second pass, and takes
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
 * `unknown` when the arguments `O` say all that is needed to record `A` and `E`, and otherwise an object whose key is a
 * sentence that says what is missing: the compiler quotes it. `Key` is the name of the option for the Schema of the value.
 *
 * @category type rules
 * @since 0.1.0
 */
export type Recordable<A, E, O, Own = unknown, Key extends string = "success"> = O extends
  | readonly []
  | readonly [unknown]
  ? typeof NotInferredId extends keyof OptionsOf<O>
    ? unknown
    : RecordableValue<A, OptionsOf<O>, Key> &
        RecordableError<E, OptionsOf<O>> &
        KnownOptions<OptionsOf<O>, Recording<A> & Own>
  : unknown

/**
 * {@link Recordable} of the value, by the options `Opt`.
 *
 * @category type rules
 * @since 0.1.0
 */
// Before it has looked at a function argument, the compiler tries whether the others fit a value of type `never`.
export type RecordableValue<A, Opt, Key extends string> = Opt extends { readonly successSerdes: infer Codec }
  ? [A] extends [never]
    ? unknown
    : Codec extends SerdesFor<A>
      ? unknown
      : {
          readonly [Message in `the ${Key}Serdes is no Serdes.Codec of the value`]: {
            readonly value: A
            readonly codec: Codec
          }
        }
  : Opt extends { readonly success: infer S extends Typed }
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
 * {@link Recordable} of the errors, by the options `Opt`.
 *
 * @category type rules
 * @since 0.1.0
 */
// A type parameter fits its own Schema only as it is: what is left of it without the library's errors is not known.
export type RecordableError<E, Opt> = Opt extends { readonly error: infer S extends Typed }
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
 * What is asked of a Schema here. It is inferred whole, and its parts are looked up in it: those of a type parameter can
 * be looked up, but not inferred.
 */
interface Typed {
  readonly Type: unknown
}

/**
 * `unknown` when `Options` has no fields besides those of `Known`. Inferred arguments may have any fields: without this, a
 * misspelt option would be ignored.
 *
 * @category type rules
 * @since 0.1.0
 */
type KnownOptions<Options, Known> = [Exclude<keyof Options, keyof Known>] extends [never]
  ? unknown
  : { readonly [Key in Exclude<keyof Options, keyof Known> & string as `there is no option "${Key}" here`]: never }

/**
 * The arguments `O` as `Checked`, or, when the options at their end have fields besides those of `Known`, with a sentence as
 * the type of each such field: as a tuple, so that the compiler blames that field alone. `Lead` is what comes before them.
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
  ? [Exclude<keyof Options, keyof Known>] extends [never]
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
 * what is wrong at the option that does not exist.
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
 * As {@link KnownArguments}, for one object of options that may be left out.
 *
 * @category type rules
 * @since 0.1.0
 */
export type NoOtherOptions<Options, Known> = {
  readonly [Key in Exclude<keyof Options, keyof Known>]?: NoOption<`there is no option "${Key & string}" here`>
}

declare const NoOptionId: unique symbol

/** What stands in the place of an option that does not exist. No value is of this type. */
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

/** Whether it is the object as a whole that is not plain: a class, a function, a bag of unknown fields. */
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
 * What an operation returns: the type of the success Schema when there is one, because only what is in the Schema is
 * recorded.
 *
 * @category type rules
 * @since 0.1.0
 */
export type RecordedValue<A, O> =
  OptionsOf<O> extends { readonly successSerdes: object }
    ? FromArguments<A>
    : OptionsOf<O> extends { readonly success: infer S extends Typed }
      ? S["Type"]
      : FromArguments<A>

/**
 * How an operation fails: with the members of the error Schema that its body fails with, and with the library's own
 * operation errors.
 *
 * @category type rules
 * @since 0.1.0
 */
export type RecordedError<E, O> =
  OptionsOf<O> extends { readonly error: infer S extends Typed }
    ? FromArguments<LibraryError<E>> | DeclaredError<E, S["Type"]>
    : FromArguments<E>

/**
 * `T` in the return type of an operation, hidden from inference: it is to come from the arguments alone. Otherwise a call
 * like `Effect.all([operation])`, which takes `Effect<any, any, any>`, would have the compiler check the arguments for `any`.
 *
 * @category type rules
 * @since 0.1.0
 */
export type FromArguments<T> = [T] extends [infer U extends T] ? U : never

/**
 * What the Schemas and the codec of an operation need.
 *
 * @category type rules
 * @since 0.1.0
 */
export type RecordServices<O> =
  | SchemaServices<OptionsOf<O>, "success">
  | SchemaServices<OptionsOf<O>, "error">
  | SerdesServices<OptionsOf<O>>

type SchemaServices<Opt, Key extends string> =
  Opt extends Readonly<Record<Key, infer S extends Coded>> ? S["DecodingServices"] | S["EncodingServices"] : never

interface Coded {
  readonly DecodingServices: unknown
  readonly EncodingServices: unknown
}

type SerdesServices<Opt> = Opt extends {
  readonly successSerdes: { readonly deserialize: (...args: never) => Effect.Effect<unknown, unknown, infer R> }
}
  ? R
  : never

/** The options object, or undefined when there is none. */
type OptionsOf<O> = O extends readonly [infer Opt] ? Opt : undefined

type Declared<E> = Exclude<E, OperationError>

/**
 * The members of `E` that are the library's own operation errors.
 *
 * @category type rules
 * @since 0.1.0
 */
export type LibraryError<E> = E extends OperationError ? E : never

/**
 * The members of `Type`, the type of an error Schema, that a member of `E` is one of.
 *
 * @category type rules
 * @since 0.1.0
 */
export type DeclaredError<E, Type> = Type extends unknown
  ? [Extract<Declared<E>, Type>] extends [never]
    ? never
    : Type
  : never
