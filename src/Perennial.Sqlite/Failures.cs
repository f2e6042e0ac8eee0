using Microsoft.Data.Sqlite;
using Perennial.AspNetCore.Stores;

namespace Perennial.Sqlite;

/// <summary>Explains what SQLite reports (SQLite, Result and Error Codes).</summary>
internal static class Failures
{
    private const int Busy = 5;
    private const int Locked = 6;
    private const int ReadOnly = 8;
    private const int InputOutput = 10;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;
    private const int Protocol = 15;
    private const int NotADatabase = 26;

    /// <summary>Returns the failure as the store reports it.</summary>
    public static RunStoreException Explain(SqliteException failure) => new(
        failure.SqliteErrorCode switch
        {
            Busy or Locked => "The file of runs is locked by another program.",
            ReadOnly => "The file of runs cannot be written.",
            InputOutput => "The disk of the file of runs failed.",
            Corrupt => "The file of runs is damaged.",
            Full => "The file of runs has no room: the disk is full, or MaxFileBytes is reached.",
            CannotOpen => "The file of runs cannot be opened.",
            NotADatabase => "The file of runs is damaged, or is not a database of SQLite.",
            _ => "The file of runs cannot be used.",
        },
        failure);

    /// <summary>Whether the same work may succeed later.</summary>
    public static bool IsTransient(Exception failure) =>
        CodeOf(failure) is Busy or Locked or ReadOnly or InputOutput or Full or CannotOpen or Protocol;

    /// <summary>Whether there is no room.</summary>
    public static bool IsFull(Exception failure) => CodeOf(failure) is Full;

    /// <summary>
    /// Whether other work of the same transaction may succeed, because the failure is about one statement or about its size.
    /// </summary>
    public static bool IsOfOneWork(Exception failure) => IsFull(failure) || !IsTransient(failure);

    private static int? CodeOf(Exception failure) => failure switch
    {
        SqliteException own => own.SqliteErrorCode,
        RunStoreException { InnerException: SqliteException inner } => inner.SqliteErrorCode,
        _ => null,
    };
}
