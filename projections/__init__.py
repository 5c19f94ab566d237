"""Read models: disposable views of the log in Postgres, each with its position beside its rows."""
