// The error of a machine or an environment that lacks something: its message is one sentence for a person, to be printed
// alone. A stack trace would only hide which package to install or which variable to set.

export class SetupError extends Error {
  override readonly name = "SetupError";
}
