"""Run by the Python of an environment with the package exofop: reads a folder of tags, prints JSON."""

import json
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
from exofop.extract import LightCurveTableList  # noqa: E402
from exofop.extract.parse_exofop_file_name import parse_and_format_exofop_file_name  # noqa: E402

folder = pathlib.Path(sys.argv[1])
tables = LightCurveTableList.load_exofop_data(target_dir=str(folder))
tables.standardise_column_names()
missing = tables.missing_cbvs()
tables.apply_time_correction_in_case_of_discrepancy()
print()
print(
    json.dumps(
        {
            "n_complete": len(tables.complete),
            "missing": missing,
            "n_covariate": [len(table.cbvs().colnames) for table in tables],
            "time": {str(table.file_name): [float(value) for value in table.time] for table in tables},
            "names": {
                path.name: {
                    key: str(value) for key, value in parse_and_format_exofop_file_name(path.name).items()
                }
                for path in sorted(folder.glob("*/*"))
            },
        }
    )
)
