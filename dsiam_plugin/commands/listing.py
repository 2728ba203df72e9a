"""``dsiam list``: the trackers and their configurations."""

import argparse


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declares ``dsiam list``."""
    parser = subparsers.add_parser("list", help="list the trackers or print a configuration")
    parser.set_defaults(run=run)
    add = parser.add_argument
    add(
        "--yaml",
        metavar="NAME",
        help="print the whole configuration this tracker runs with as YAML",
    )
    add("--config", metavar="YAML", help="with --yaml: settings that override the tracker's own")
    add("--weights", metavar="FILE", help="with --yaml: network weights, which may bring numbers")


def run(arguments: argparse.Namespace) -> int:
    """Prints the table or one configuration; always 0."""
    from dsiam_plugin.errors import ConfigError

    if arguments.yaml is not None:
        print(resolved(arguments.yaml, arguments.config, arguments.weights), end="")
    elif arguments.config is not None or arguments.weights is not None:
        raise ConfigError("--config or --weights alone; expected --yaml NAME beside them")
    else:
        print("\n".join(table()))
    return 0


def resolved(name: str, config: str | None, weights: str | None) -> str:
    """The configuration that runs, as YAML after a comment that says with which weights."""
    from dsiam_plugin.config.files import dump_config
    from dsiam_plugin.trackers.builders import resolve_config, weights_of

    found = weights_of(name, config, weights)
    return f"# {name} with {found.path.name}\n{dump_config(resolve_config(name, config, found))}"


def table() -> list[str]:
    """One line a tracker: name, features, description."""
    from dsiam_plugin.config.files import load_config
    from dsiam_plugin.config.variants import find_variant, tracker_names

    rows = [("name", "features", "what it is")]
    for name in tracker_names():
        variant = find_variant(name)
        model = load_config(None, variant.config).model
        rows.append((name, f"{model.backbone}: {'+'.join(sorted(model.layers))}", variant.summary))
    name_width, features_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [
        f"{name:{name_width}}  {features:{features_width}}  {summary}"
        for name, features, summary in rows
    ]
