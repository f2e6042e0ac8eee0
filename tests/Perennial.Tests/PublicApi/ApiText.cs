using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Perennial.Tests.PublicApi;

/// <summary>
/// What an assembly promises to others, as sorted text in C# words: one block a type, one line a member. What the compiler adds to
/// records is left out, and so are nullable annotations.
/// </summary>
internal static class ApiText
{
    private const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void", [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(int)] = "int", [typeof(uint)] = "uint",
        [typeof(long)] = "long", [typeof(double)] = "double", [typeof(string)] = "string", [typeof(object)] = "object",
    };

    public static string Of(Assembly assembly) => string.Join(
        '\n', assembly.GetExportedTypes().OrderBy(static type => type.FullName, StringComparer.Ordinal).Select(Block));

    private static string Block(Type type)
    {
        var text = new StringBuilder($"{Head(type)}\n");
        foreach (var line in Members(type).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"    {line}\n");
        }

        return text.ToString();
    }

    private static string Head(Type type)
    {
        var name = $"{type.Namespace}.{Name(type)}";
        if (type.IsEnum)
        {
            return $"enum {name}";
        }

        if (type.IsSubclassOf(typeof(Delegate)))
        {
            var invoke = type.GetMethod("Invoke")!;
            return $"delegate {Name(invoke.ReturnType)} {name}({Parameters(invoke)})";
        }

        var kind = (IsRecord(type), type.IsValueType, type.IsInterface) switch
        {
            (_, _, true) => "interface",
            (true, true, _) => "record struct",
            (true, false, _) => "record",
            (false, true, _) => "struct",
            _ => "class",
        };
        var modifier = (type.IsAbstract, type.IsSealed) switch
        {
            (true, true) => "static ",
            (true, false) when !type.IsInterface => "abstract ",
            (false, true) when !type.IsValueType => "sealed ",
            _ when type.IsValueType && type.IsDefined(typeof(IsReadOnlyAttribute)) => "readonly ",
            _ => "",
        };
        var parents = new[] { type.BaseType }
            .Where(static parent => parent is not null && parent != typeof(object) && parent != typeof(ValueType))
            .Concat(type.GetInterfaces().Except(type.BaseType?.GetInterfaces() ?? []).Where(parent => !IsRecord(type) || parent.Name is not "IEquatable`1"))
            .Select(static parent => Name(parent!))
            .ToList();
        return $"{modifier}{kind} {name}{(parents.Count == 0 ? "" : " : " + string.Join(", ", parents))}";
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(name => string.Create(CultureInfo.InvariantCulture, $"{name} = {Convert.ToInt64(Enum.Parse(type, name))}"));
        }

        return type.IsSubclassOf(typeof(Delegate)) ? [] : type.GetMembers(Declared).Where(IsWritten).Select(Line).OfType<string>();
    }

    private static string? Line(MemberInfo member) => member switch
    {
        ConstructorInfo { IsStatic: false } constructor when Access(constructor) is { } access =>
            $"{access}{Name(constructor.DeclaringType!).Split('<')[0]}({Parameters(constructor)})",
        FieldInfo { IsLiteral: true, IsPublic: true } field => $"const {Name(field.FieldType)} {field.Name} = {Literal(field.GetRawConstantValue())}",
        FieldInfo { IsPublic: true } field => $"field {Name(field.FieldType)} {field.Name}",
        EventInfo happening when Access(happening.AddMethod) is { } access => $"{access}event {Name(happening.EventHandlerType!)} {happening.Name}",
        PropertyInfo property when Access(property.GetMethod ?? property.SetMethod) is { } access =>
            $"{access}{Modifier((property.GetMethod ?? property.SetMethod)!)}{(IsRequired(property) ? "required " : "")}{Name(property.PropertyType)} {property.Name} {{{Accessors(property)} }}",
        MethodInfo { IsSpecialName: false } method when Access(method) is { } access =>
            $"{access}{Modifier(method)}{Name(method.ReturnType)} {method.Name}{Generics(method)}({Parameters(method)})",
        _ => null,
    };

    private static string Accessors(PropertyInfo property) =>
        (Access(property.GetMethod) is null ? "" : " get;")
        + (Access(property.SetMethod) is null ? "" : IsInit(property) ? " init;" : " set;");

    private static string? Access(MethodBase? method) => method switch
    {
        { IsPublic: true } => "",
        { IsFamily: true } or { IsFamilyOrAssembly: true } when !method.DeclaringType!.IsSealed => "protected ",
        _ => null,
    };

    private static string Modifier(MethodInfo method) => method switch
    {
        { IsStatic: true } => "static ",
        { IsAbstract: true } => "abstract ",
        { IsVirtual: true, IsFinal: false } when method.GetBaseDefinition() != method => "override ",
        { IsVirtual: true, IsFinal: false } => "virtual ",
        _ => "",
    };

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(static parameter =>
        (parameter.IsOut ? "out " : parameter.IsIn ? "in " : parameter.ParameterType.IsByRef ? "ref " : "")
        + (parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) ? "params " : "")
        + $"{Name(parameter.ParameterType)} {parameter.Name}"
        + (parameter.HasDefaultValue ? $" = {Literal(parameter.DefaultValue)}" : "")));

    private static string Generics(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";

    private static string Name(Type type)
    {
        if (type.IsByRef || type.IsArray)
        {
            return Name(type.GetElementType()!) + (type.IsArray ? "[]" : "");
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return Name(underlying) + "?";
        }

        var name = Keywords.GetValueOrDefault(type, type.Name.Split('`')[0]);
        name = type is { IsNested: true, IsGenericParameter: false } ? $"{Name(type.DeclaringType!)}.{name}" : name;
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }

    private static string Literal(object? value) => value switch
    {
        null => "default",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        Enum named => $"{named.GetType().Name}.{named}",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static bool IsWritten(MemberInfo member) => !member.IsDefined(typeof(CompilerGeneratedAttribute)) && member.Name is not "Finalize";

    private static bool IsRecord(Type type) =>
        type.GetMethod("<Clone>$", Declared) is not null
        || (type.IsValueType && type.GetMethod("PrintMembers", Declared)?.IsDefined(typeof(CompilerGeneratedAttribute)) == true);

    private static bool IsInit(PropertyInfo property) =>
        property.SetMethod!.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));

    private static bool IsRequired(PropertyInfo property) => property.IsDefined(typeof(RequiredMemberAttribute));
}
