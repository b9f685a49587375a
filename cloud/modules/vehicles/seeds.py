"""The demo communities' vehicles: one for each third room, of its owner, while there are plates."""

from __future__ import annotations

from cloud.kernel.seeding import Seeding
from cloud.modules.vehicles import service
from cloud.modules.vehicles.models import PlateType
from cloud.modules.vehicles.service import VehicleFacts

EACH = 3
PLATES = {
    "LT": (
        ("浙A8K52T", "大众 帕萨特", "白"),
        ("浙AD36187", "比亚迪 汉", "灰"),
        ("浙A1Q906", "丰田 凯美瑞", "黑"),
        ("浙AF20518", "理想 L7", "银"),
        ("浙AM725P", "别克 君威", "白"),
    ),
    "YS": (
        ("苏E7H31B", "本田 雅阁", "黑"),
        ("苏ED90264", "蔚来 ET5", "蓝"),
        ("苏E62N8V", "日产 轩逸", "白"),
        ("苏EA51730", "特斯拉 Model 3", "红"),
    ),
    "JH": (
        ("京N3C845", "奥迪 A4L", "黑"),
        ("京AD07623", "小鹏 P7", "白"),
        ("京Q90R17", "大众 速腾", "灰"),
        ("京AF48156", "问界 M7", "黑"),
    ),
}
_NEW_ENERGY_SIGNS = 8


async def seed(seeding: Seeding) -> None:
    for site in seeding.community["sites"]:
        code = site["code"]
        async with seeding.unit() as ctx:
            for room, plate in zip(site["rooms"][::EACH], PLATES[code], strict=False):
                number, brand, color = plate
                is_new = len(number) == _NEW_ENERGY_SIGNS
                await service.add_vehicle(
                    ctx,
                    site_id=seeding.ids[f"site:{code}"],
                    facts=VehicleFacts(
                        plate_type=PlateType.new_energy if is_new else PlateType.fuel,
                        plate=number,
                        room_id=seeding.ids[f"room:{code}/{room['at']}"],
                        party_id=seeding.ids[f"party:{code}/{room['at']}"],
                        brand=brand,
                        color=color,
                    ),
                )
