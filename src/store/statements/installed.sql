-- Which functions and views are installed, and by which version of the program.
select sql_hash, version
from gate.installed
