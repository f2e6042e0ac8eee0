using System.Text;

namespace Perennial.PostgreSql;

/// <summary>Which texts the database can store.</summary>
internal static class StorableText
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether a text has neither NUL nor half a surrogate pair.</summary>
    public static bool IsStorable(string text)
    {
        if (text.Contains('\0'))
        {
            return false;
        }

        try
        {
            StrictUtf8.GetByteCount(text);
            return true;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }
}
