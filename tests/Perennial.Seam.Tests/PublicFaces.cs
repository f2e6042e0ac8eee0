using System.Diagnostics.CodeAnalysis;
using Perennial.Http;

namespace Perennial;

/// <summary>What the linked sources read by a shorter way inside of Perennial, from public members alone.</summary>
internal static class PublicFaces
{
    extension(StreamMessage message)
    {
        public ReadOnlySpan<byte> Bytes => message.Data.Span;

        public bool NamesItsEventType => !ReferenceEquals(message.EventType, StreamMessage.DefaultEventType);
    }

    extension(MessageBatch)
    {
        public static int LargestId => 8 * 1024;
    }

    extension(TransportOptions options)
    {
        public ReconnectOptions ReconnectRules => options.Reconnect;

        public Uri StreamEndpoint => options.ResumeFrom?.Endpoint ?? options.Endpoint;
    }

    extension(HttpTransportOptions options)
    {
        public HttpConnectionOptions HttpRules => options.Http;

        [SuppressMessage("Performance", "CA1822", Justification = "It stands in for a property of the options.")]
        public StartsOnceMemory StartsOnce => StartsOnceMemory.Shared;

        public HttpMethod EffectiveMethod =>
            options.ResumeFrom is not null ? HttpMethod.Get : options.Method ?? (options.Body is null ? HttpMethod.Get : HttpMethod.Post);
    }

    extension(RequestBody body)
    {
        public HttpContent ToContent()
        {
            var content = new ReadOnlyMemoryContent(body.Content);
            content.Headers.TryAddWithoutValidation("Content-Type", body.MediaType);
            return content;
        }
    }

    extension(TransportException error)
    {
        public TransportException AsFinal(TransportErrorCode code, string message) =>
            error.About(code, message, isTransient: false, error.Delivery);

        public TransportException About(string message, bool isTransient) => error.About(error.Code, message, isTransient, error.Delivery);

        public TransportException With(DeliveryStatus delivery) => error.About(error.Code, error.Message, error.IsTransient, delivery);

        private TransportException About(TransportErrorCode code, string message, bool isTransient, DeliveryStatus? delivery) =>
            new(code, message, isTransient, error)
            {
                HttpStatus = error.HttpStatus,
                CloseCode = error.CloseCode,
                RetryAfter = error.RetryAfter,
                ServerCode = error.ServerCode,
                ServerMessage = error.ServerMessage,
                Delivery = delivery,
                IsAboutOrigin = error.IsAboutOrigin,
            };
    }
}
