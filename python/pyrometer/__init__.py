"""Pyrometer: where the time of a Python program goes. The work is done by the program `pyrometer`, written in C."""

__all__ = ["find_program"]


def find_program():
    """The path of the installed program: beside this package's interpreter, else on PATH.

    Raises FileNotFoundError, with what to do, when it is not there.
    """
    import os
    import shutil
    import sysconfig

    name = "pyrometer" + (sysconfig.get_config_var("EXE") or "")
    schemes = [sysconfig.get_path("scripts")]
    user_scheme = {"posix": "posix_user", "nt": "nt_user"}.get(os.name)
    if user_scheme in sysconfig.get_scheme_names():
        schemes.append(sysconfig.get_path("scripts", user_scheme))
    # `pip install --target FOLDER` puts programs into FOLDER/bin, where no scheme looks.
    schemes.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bin"))
    for folder in schemes:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    path = shutil.which(name)
    if path is None:
        raise FileNotFoundError("the program 'pyrometer' is not beside this Python and not on PATH: pip install pyrometer")
    return path
